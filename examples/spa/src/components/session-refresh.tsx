"use client"

import { useSession } from "@/lib/auth-client"

export function SessionRefresh() {
  const { refetch } = useSession()

  // Refresh session data
  const handleRefresh = async () => {
    await refetch()
  }

  return <button onClick={handleRefresh}>Refresh Session</button>
}
