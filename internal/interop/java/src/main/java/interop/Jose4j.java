package interop;

import org.jose4j.jwa.AlgorithmConstraints.ConstraintType;
import org.jose4j.jwk.HttpsJwks;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.consumer.JwtConsumer;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.keys.resolvers.HttpsJwksVerificationKeyResolver;

/** A verifier on jose4j. */
public final class Jose4j {
    public static void main(String[] args) throws Exception {
        // It obeys Cache-Control. An unknown key makes it fetch the keys again, but not so soon after the last time.
        var keys = new HttpsJwks(Whoami.env("JWKS_URI"));
        keys.setRefreshReprieveThreshold(Math.min(Whoami.maxAge().toMillis() / 4, 30_000));
        JwtConsumer consumer = new JwtConsumerBuilder()
                .setVerificationKeyResolver(new HttpsJwksVerificationKeyResolver(keys))
                .setJwsAlgorithmConstraints(ConstraintType.PERMIT, Whoami.env("ALGORITHM"))
                .setExpectedType(true, "at+jwt")
                .setExpectedIssuer(true, Whoami.env("ISSUER"))
                .setExpectedAudience(true, Whoami.env("AUDIENCE"))
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
