import { execFile } from 'node:child_process'

const withinMs = 2_000

/**
 * sd_notify(3) sends a datagram to a local socket, for which Node has no API. If it fails, systemd restarts the unit when
 * its watchdog expires.
 */
export function notifySystemd(state: string): void {
  if (process.env['NOTIFY_SOCKET'] === undefined) return
  execFile('systemd-notify', [state], { timeout: withinMs }, () => {})
}
