package interop;

import java.time.Duration;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.core.OAuth2TokenValidator;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;

/** A verifier on the JwtDecoder of Spring Security, which is what its resource server asks. */
public final class Spring {
    public static void main(String[] args) throws Exception {
        NimbusJwtDecoder decoder = NimbusJwtDecoder.withJwkSource(Nimbus.keys())
                .jwsAlgorithm(SignatureAlgorithm.from(Whoami.env("ALGORITHM")))
                .build();
        OAuth2TokenValidator<Jwt> rfc9068 = JwtValidators.createAtJwtValidator()
                .issuer(Whoami.env("ISSUER"))
                .audience(Whoami.env("AUDIENCE"))
                .build();
        // By itself it allows a minute for clocks that differ.
        decoder.setJwtValidator(new DelegatingOAuth2TokenValidator<>(rfc9068, new JwtTimestampValidator(Duration.ZERO)));

        Whoami.serve(token -> {
            Jwt verified = decoder.decode(token);
            return new Whoami.Claims(verified.getSubject(), verified.getClaimAsString("sid"));
        });
    }

    private Spring() {}
}
