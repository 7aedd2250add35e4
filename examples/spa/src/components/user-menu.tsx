"use client"

import { useSession } from "@/lib/auth-client"

export function UserMenu() {
  const { data: session, isPending, error, refetch } = useSession()

  if (isPending) return <div>Loading...</div>
  if (error && error.status !== 429 && !session) return <div role="alert">The sign-in service can't be reached.</div>
  if (!session) return <div>Not logged in</div>

  return (
    <div>
      <span>{session.user.email}</span>
      <button onClick={() => refetch()}>Refresh</button>
    </div>
  )
}
