import { existsSync } from 'node:fs'
import { execOrThrow } from '../../lib/exec.ts'
import { OperatorError } from '../../lib/operatorError.ts'

const programs = ['/usr/sbin/nft', '/sbin/nft', '/usr/local/sbin/nft']

const installed = (): string | undefined => programs.find((path) => existsSync(path))

export const whyNoNft = (): string | null =>
  installed() === undefined ? 'nft is not installed: apt-get install nftables' : null

/** The path of nft(8). Throws if it is not installed. */
export function nftPath(): string {
  const path = installed()
  if (path !== undefined) return path
  const message = 'nft is not installed: nothing keeps services from each other on this machine'
  throw new OperatorError('E_FIREWALL', message, { subject: 'nft', next: 'apt-get install nftables' })
}

/** Runs these commands as one transaction. */
export async function transact(text: string): Promise<void> {
  const path = nftPath()
  try {
    await execOrThrow([path, '-f', '-'], { input: text })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new OperatorError('E_FIREWALL', `nft did not accept the rules: ${why.slice(0, 500)}`, {
      subject: 'nft',
      next: 'tandem doctor',
      cause,
    })
  }
}

/** Runs the first of these that nft accepts. Throws if it accepts none. */
export async function transactFirst([text = '', ...others]: readonly string[]): Promise<void> {
  try {
    await transact(text)
  } catch (error) {
    if (others.length === 0) throw error
    await transactFirst(others)
  }
}
