package interop;

import static interop.Whoami.ALGORITHM;
import static interop.Whoami.AUDIENCE;
import static interop.Whoami.ISSUER;
import static interop.Whoami.JWKS_MAX_AGE;
import static interop.Whoami.JWKS_URI;

import org.jose4j.jwa.AlgorithmConstraints.ConstraintType;
import org.jose4j.jwk.HttpsJwks;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.keys.resolvers.HttpsJwksVerificationKeyResolver;

/** A verifier on jose4j. */
public final class Jose4j {
    public static void main(String[] args) throws Exception {
        var keys = new HttpsJwks(JWKS_URI); // it obeys Cache-Control
        keys.setRefreshReprieveThreshold(Math.min(JWKS_MAX_AGE.toMillis() / 4, 30_000));
        var consumer = new JwtConsumerBuilder()
                .setVerificationKeyResolver(new HttpsJwksVerificationKeyResolver(keys))
                .setJwsAlgorithmConstraints(ConstraintType.PERMIT, ALGORITHM)
                .setExpectedType(true, "at+jwt")
                .setExpectedIssuer(true, ISSUER)
                .setExpectedAudience(true, AUDIENCE)
                .setRequireExpirationTime()
                .setRequireSubject()
                .build();

        Whoami.serve(token -> {
            JwtClaims verified = consumer.processToClaims(token);
            return new Whoami.Claims(verified.getSubject(), verified.getClaimValueAsString("sid"));
        });
    }

    private Jose4j() {}
}
