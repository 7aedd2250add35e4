module issuer.example/examples/nethttp

go 1.26.0

require issuer.example v0.0.0

require github.com/golang-jwt/jwt/v5 v5.3.1 // indirect

replace issuer.example => ../..
