"use client"

import { authClient } from "@/lib/auth-client"
import { useEffect, useState } from "react"

interface Session {
  id: string
  createdAt: Date
  ipAddress: string | null
  userAgent: string | null
  current: boolean
}

export function ActiveSessions() {
  const [sessions, setSessions] = useState<Session[]>([])

  useEffect(() => {
    loadSessions()
  }, [])

  const loadSessions = async () => {
    const { data } = await authClient.listSessions()
    setSessions(data || [])
  }

  const revokeSession = async (sessionId: string) => {
    await authClient.revokeSession({ id: sessionId })
    loadSessions()
  }

  return (
    <div className="space-y-4">
      <h2 className="text-lg font-semibold">Active Sessions</h2>
      {sessions.map((session) => (
        <div
          key={session.id}
          className="flex justify-between items-center p-4 border rounded"
        >
          <div>
            <p className="font-medium">
              {session.current ? "Current Session" : "Other Session"}
            </p>
            <p className="text-sm text-gray-500">
              {session.userAgent || "Unknown device"}
            </p>
            <p className="text-sm text-gray-500">
              IP: {session.ipAddress || "Unknown"}
            </p>
          </div>
          {!session.current && (
            <button
              onClick={() => revokeSession(session.id)}
              className="text-red-600 hover:underline"
            >
              Revoke
            </button>
          )}
        </div>
      ))}
    </div>
  )
}
