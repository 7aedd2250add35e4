package interop;

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
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.parse(Whoami.env("ALGORITHM")), keys()));
        var claims = new DefaultJWTClaimsVerifier<SecurityContext>(
                Whoami.env("AUDIENCE"),
                new JWTClaimsSet.Builder().issuer(Whoami.env("ISSUER")).build(),
                Set.of("exp", "sub", "sid"));
        claims.setMaxClockSkew(0); // a minute by itself
        processor.setJWTClaimsSetVerifier(claims);

        Whoami.serve(token -> {
            JWTClaimsSet verified = processor.process(token, null);
            return new Whoami.Claims(verified.getSubject(), verified.getStringClaim("sid"));
        });
    }

    /**
     * The issuer's keys. Nimbus does not read Cache-Control: by itself it keeps them for five minutes, and fetches them
     * twice in 30 s at most when it meets a key that it does not know. It gives up on a fetch after half a second.
     */
    static JWKSource<SecurityContext> keys() throws MalformedURLException {
        long maxAge = Whoami.maxAge().toMillis();
        long quarter = maxAge / 4;
        return JWKSourceBuilder.create(URI.create(Whoami.env("JWKS_URI")).toURL(), new DefaultResourceRetriever(5_000, 5_000))
                .cache(maxAge, Math.min(quarter, 15_000))
                .refreshAheadCache(Math.min(quarter, 30_000), false)
                .rateLimited(Math.min(quarter, 30_000))
                .build();
    }

    private Nimbus() {}
}
