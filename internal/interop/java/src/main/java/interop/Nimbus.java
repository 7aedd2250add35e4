package interop;

import static interop.Whoami.ALGORITHM;
import static interop.Whoami.AUDIENCE;
import static interop.Whoami.ISSUER;
import static interop.Whoami.JWKS_MAX_AGE;
import static interop.Whoami.JWKS_URI;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.net.MalformedURLException;
import java.net.URI;
import java.util.Set;

/** A verifier on Nimbus JOSE + JWT. */
public final class Nimbus {
    public static void main(String[] args) throws Exception {
        var processor = new DefaultJWTProcessor<SecurityContext>();
        processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("at+jwt")));
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.parse(ALGORITHM), keys()));
        var claims = new DefaultJWTClaimsVerifier<SecurityContext>(
                AUDIENCE, new JWTClaimsSet.Builder().issuer(ISSUER).build(), Set.of("exp", "sub", "sid"));
        claims.setMaxClockSkew(0); // a minute by itself
        processor.setJWTClaimsSetVerifier(claims);

        Whoami.serve(token -> {
            JWTClaimsSet verified = processor.process(token, null);
            return new Whoami.Claims(verified.getSubject(), verified.getStringClaim("sid"));
        });
    }

    /** The issuer's keys. Nimbus does not read Cache-Control, and gives up on a fetch after half a second by itself. */
    static JWKSource<SecurityContext> keys() throws MalformedURLException {
        long maxAge = JWKS_MAX_AGE.toMillis();
        long pause = Math.min(maxAge / 4, 30_000);
        return JWKSourceBuilder.create(URI.create(JWKS_URI).toURL(), new DefaultResourceRetriever(5_000, 5_000))
                .cache(maxAge, pause)
                .refreshAheadCache(pause, false)
                .rateLimited(pause)
                .build();
    }

    private Nimbus() {}
}
