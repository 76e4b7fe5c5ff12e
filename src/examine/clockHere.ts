import { execOrThrow } from '../lib/exec.ts'

const askMs = 10_000

/** Whether the kernel reports that a time service keeps its clock synchronised. */
export async function clockHere(): Promise<{ synchronised: boolean }> {
  const env = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', SYSTEMD_PAGER: '' }
  const said = await execOrThrow(['timedatectl', 'show', '--property=NTPSynchronized', '--value'], {
    timeoutMs: askMs,
    env,
  })
  return { synchronised: said.trim() === 'yes' }
}
