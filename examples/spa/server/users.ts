export interface User {
  id: string;
  email: string;
  name: string;
}

/** The users who may sign in. Your application uses its own user directory. */
const users: User[] = [
  { id: "u-ada", email: "ada@example.com", name: "Ada" },
  { id: "u-grace", email: "grace@example.com", name: "Grace" },
];

/** Returns the user with this email and password, or undefined. */
export function authenticate(email: unknown, password: unknown): User | undefined {
  return password === "demo" ? users.find((user) => user.email === email) : undefined;
}
