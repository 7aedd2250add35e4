package interop;

import com.nimbusds.jose.util.JSONObjectUtils;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;

/** The page that each verifier serves: who is asking, by their access token. It leaves the verdict to the library. */
final class Whoami {
    /** A library's verdict on a token. */
    interface Verifier {
        /** Returns the token's sub and sid, or throws if the library refuses the token. */
        Claims verify(String token) throws Exception;
    }

    record Claims(String sub, String sid) {}

    private static final String SCHEME = "Bearer ";

    static final String ISSUER = env("ISSUER");
    static final String JWKS_URI = env("JWKS_URI");
    static final Duration JWKS_MAX_AGE = Duration.ofSeconds(Long.parseLong(env("JWKS_MAX_AGE")));
    static final String AUDIENCE = env("AUDIENCE");
    static final String ALGORITHM = env("ALGORITHM");

    private static String env(String name) {
        String value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            throw new IllegalStateException(name + " is not set");
        }
        return value;
    }

    static void serve(Verifier verifier) throws IOException {
        String address = env("ADDRESS");
        int colon = address.lastIndexOf(':');
        var socket = new InetSocketAddress(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
        HttpServer server = HttpServer.create(socket, 0);
        server.createContext("/whoami", exchange -> answer(exchange, verifier));
        server.start();
    }

    private static void answer(HttpExchange exchange, Verifier verifier) throws IOException {
        try (exchange) {
            Claims claims;
            try {
                claims = verifier.verify(bearer(exchange));
            } catch (Exception e) {
                System.err.println("refused: " + e);
                exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer error=\"invalid_token\"");
                exchange.sendResponseHeaders(401, -1);
                return;
            }
            byte[] body = JSONObjectUtils.toJSONString(Map.of("sub", claims.sub(), "sid", claims.sid()))
                    .getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private static String bearer(HttpExchange exchange) {
        String authorization = exchange.getRequestHeaders().getFirst("Authorization");
        if (authorization == null || !authorization.startsWith(SCHEME)) {
            throw new IllegalArgumentException("no bearer token");
        }
        return authorization.substring(SCHEME.length());
    }

    private Whoami() {}
}
