//go:build interop

package interop_test

import "issuer.example/jwt"

func nimbus() verifier {
	return onJava("Nimbus JOSE + JWT", "Nimbus", jwt.ES256, jwt.RS256)
}

func springSecurity() verifier {
	return onJava("Spring Security", "Spring", jwt.ES256, jwt.RS256)
}

func jose4j() verifier {
	return onJava("jose4j", "Jose4j", jwt.ES256, jwt.EdDSA, jwt.RS256)
}

// onJava returns the verifier of a main class.
func onJava(name, class string, algorithms ...jwt.Algorithm) verifier {
	return verifier{
		name:       name,
		folder:     "java",
		needs:      []string{"javac", "mvn"},
		prepare:    [][]string{{"sh", "-c", "mvn -B -q -o $0 || mvn -B -q $0", "compiler:compile dependency:copy-dependencies"}},
		command:    []string{"java", "-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp", "target/classes:target/lib/*", "interop." + class},
		algorithms: algorithms,
	}
}
