import { type FormEvent, useState } from "react";
import { authClient, useSession } from "@/lib/auth-client";
import { useRouter } from "@/lib/navigation";
import { signIn } from "@/lib/sign-in";

export function LoginPage() {
  const router = useRouter();
  const { refetch } = useSession();
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);

  const handleSubmit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    try {
      await signIn(String(form.get("email")), String(form.get("password")));
      const { data, error } = await authClient.getSession();
      if (!data && !error) throw new Error("Your browser did not keep the session's cookies.");
      await refetch();
      router.push("/");
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : "Please try again later.");
    } finally {
      setBusy(false);
    }
  };

  return (
    <main>
      <h1>Sign in</h1>
      <p className="text-gray-500">Two users are here: ada@example.com and grace@example.com, both with the password demo.</p>
      <form className="login" onSubmit={handleSubmit}>
        <label>
          Email
          <input name="email" type="email" autoComplete="username" defaultValue="ada@example.com" required />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" defaultValue="demo" required />
        </label>
        {trouble && <p role="alert">{trouble}</p>}
        <button className="primary" disabled={busy}>
          Sign In
        </button>
      </form>
    </main>
  );
}
