package interop;

import static interop.Whoami.ALGORITHM;
import static interop.Whoami.AUDIENCE;
import static interop.Whoami.ISSUER;

import java.time.Duration;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;

/** A verifier on the JwtDecoder of Spring Security, which is what its resource server asks. */
public final class Spring {
    public static void main(String[] args) throws Exception {
        var decoder = NimbusJwtDecoder.withJwkSource(Nimbus.keys())
                .jwsAlgorithm(SignatureAlgorithm.from(ALGORITHM))
                .build();
        var rfc9068 = JwtValidators.createAtJwtValidator().issuer(ISSUER).audience(AUDIENCE).build();
        var noSkew = new JwtTimestampValidator(Duration.ZERO); // a minute by itself
        decoder.setJwtValidator(new DelegatingOAuth2TokenValidator<>(rfc9068, noSkew));

        Whoami.serve(token -> {
            Jwt verified = decoder.decode(token);
            return new Whoami.Claims(verified.getSubject(), verified.getClaimAsString("sid"));
        });
    }

    private Spring() {}
}
