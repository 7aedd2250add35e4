/** Everybody who may sign in here. Your application asks its own directory. */
const users = [
  { id: "u-ada", email: "ada@example.com", name: "Ada" },
  { id: "u-grace", email: "grace@example.com", name: "Grace" },
];

/**
 * Returns the user whose password this is, or undefined.
 *
 * @param {unknown} email
 * @param {unknown} password
 */
export function authenticate(email, password) {
  return password === "demo" ? users.find((user) => user.email === email) : undefined;
}
