# A verifier on ruby-jwt.
require 'json'
require 'jwt'
require 'net/http'
require 'webrick'

# The issuer's keys. ruby-jwt leaves it to its user for how long they are kept, and how often
# a token with a key that is not known makes them be fetched again.
class Keys
  def initialize(url, max_age)
    @url = URI(url)
    @max_age = max_age
    @pause = [max_age / 4.0, 30].min
    @lock = Mutex.new
  end

  # What ruby-jwt calls for the keys, and again when the token's is not among them.
  def call(options)
    @lock.synchronize do
      fetch if age > (options[:kid_not_found] ? @pause : @max_age)
      @keys
    end
  end

  private

  def age = @fetched ? now - @fetched : Float::INFINITY

  def fetch
    began = now
    answer = Net::HTTP.start(@url.host, @url.port, use_ssl: @url.scheme == 'https', open_timeout: 5, read_timeout: 5) do |issuer|
      issuer.get(@url.request_uri)
    end
    raise JWT::DecodeError, "the keys are answered with #{answer.code}" unless answer.is_a?(Net::HTTPOK)

    @keys = JSON.parse(answer.body)
    @fetched = began
  end

  def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
end

CHECKS = {
  algorithms: [ENV.fetch('ALGORITHM')],
  iss: ENV.fetch('ISSUER'), verify_iss: true,
  aud: ENV.fetch('AUDIENCE'), verify_aud: true,
  required_claims: %w[exp sub sid],
  jwks: Keys.new(ENV.fetch('JWKS_URI'), Integer(ENV.fetch('JWKS_MAX_AGE')))
}.freeze

def verify(token)
  claims, header = JWT.decode(token, nil, true, CHECKS)
  raise JWT::DecodeError, "typ is #{header['typ']}" unless header['typ'] == 'at+jwt'

  claims
end

def bearer(request) = request['Authorization'].to_s[/\ABearer (\S+)\z/, 1]

host, port = ENV.fetch('ADDRESS').split(':')
server = WEBrick::HTTPServer.new(BindAddress: host, Port: port.to_i, AccessLog: [], DoNotReverseLookup: true)
server.mount_proc '/whoami' do |request, response|
  response.body = JSON.generate(verify(bearer(request)).slice('sub', 'sid'))
  response['Content-Type'] = 'application/json'
rescue StandardError => e
  warn "refused: #{e.class}: #{e.message}"
  response.status = 401
  response['WWW-Authenticate'] = 'Bearer error="invalid_token"'
end
trap('TERM') { server.shutdown }
server.start
