package keys

// The tests reach the writing of one key, to try it on thousands.
var PublicJWK = publicJWK
