export interface User {
  id: string;
  email: string;
  name: string;
}

/** Everybody who may sign in here. Your application asks its own directory. */
const users: User[] = [
  { id: "u-ada", email: "ada@example.com", name: "Ada" },
  { id: "u-grace", email: "grace@example.com", name: "Grace" },
];

/** Returns the user whose password this is, or undefined. */
export function authenticate(email: unknown, password: unknown): User | undefined {
  return password === "demo" ? users.find((user) => user.email === email) : undefined;
}
