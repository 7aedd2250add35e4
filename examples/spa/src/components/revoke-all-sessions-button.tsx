"use client"

import { authClient } from "@/lib/auth-client"

export function RevokeAllSessionsButton() {
  const handleRevokeAll = async () => {
    await authClient.revokeAllSessions()
  }

  return (
    <button onClick={handleRevokeAll} className="text-red-600">
      Sign Out All Devices
    </button>
  )
}
