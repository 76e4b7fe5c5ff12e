import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createAuthority, createRequest, signRequest, type Subject } from './authority.ts'
import { certificateFacts, fingerprint, isSignedBy, renewAt } from './certificate.ts'
import { IdentityFolder, type Identity } from './identityFolder.ts'

const day = 86_400_000
/** How a server's refusal appears depends on when the server checks: an alert, or just the end of the connection. */
const refused = /alert|closed|ECONNRESET|disconnected/
const now = Date.now()

async function identityOf(
  authority: { key: string; certificate: string },
  subject: Subject,
  validity = { now, days: 30 },
): Promise<Identity> {
  const { key, request } = await createRequest(subject.name)
  const certificate = await signRequest(authority, request, subject, validity)
  return { key, certificate, authority: authority.certificate }
}

const machine = (name: string): Subject => ({ role: 'machine', name, addresses: ['127.0.0.1', 'a.example.com'] })

describe('certificates', () => {
  it('contain role, name, cluster, time of creation and end of validity, and are backdated by one hour', async () => {
    const authority = await createAuthority('shop', now)
    const { certificate } = await identityOf(authority, machine('a'))
    const facts = certificateFacts(certificate)
    expect(facts).toMatchObject({ role: 'machine', name: 'a', cluster: 'shop', madeAt: now })
    expect(now - facts.notBefore).toBeGreaterThanOrEqual(3_600_000)
    expect(Math.round((facts.notAfter - now) / day)).toBe(30)
    expect(renewAt(facts)).toBeCloseTo(now + 15 * day, -4)
    expect(isSignedBy(certificate, authority.certificate)).toBe(true)
  })

  it('of one cluster are not signed by the authority of another cluster with the same name', async () => {
    const [ours, theirs] = [await createAuthority('shop', now), await createAuthority('shop', now)]
    const { certificate } = await identityOf(ours, machine('a'))
    expect(isSignedBy(certificate, theirs.certificate)).toBe(false)
    expect(fingerprint(ours.certificate)).not.toBe(fingerprint(theirs.certificate))
    expect(isSignedBy(certificate, certificate)).toBe(false)
  })

  it('take their name from the subject that the authority gets, never from the request', async () => {
    const authority = await createAuthority('shop', now)
    const { request } = await createRequest('b')
    const certificate = await signRequest(authority, request, machine('a'), { now, days: 1 })
    expect(certificateFacts(certificate).name).toBe('a')
  })

  it('are not made from an altered request', async () => {
    const authority = await createAuthority('shop', now)
    const { request } = await createRequest('a')
    const bytes = Buffer.from(request.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
    bytes[bytes.length - 4] = (bytes.at(-4) ?? 0) ^ 1
    const altered = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
    await expect(signRequest(authority, altered, machine('a'), { now, days: 1 })).rejects.toThrow(
      'not signed with its own key',
    )
  })
})

describe('two machines', () => {
  it('recognize each other by TLS; a foreign, a missing and an expired certificate are refused', async () => {
    const authority = await createAuthority('shop', now)
    const server = await listening(await identityOf(authority, machine('a')))
    expect(await greeting(server, await identityOf(authority, machine('b')))).toBe('hello b')
    const stranger = await identityOf(await createAuthority('shop', now), machine('b'))
    await expect(greeting(server, { ...stranger, authority: authority.certificate })).rejects.toThrow(refused)
    const nobody = { authority: authority.certificate }
    await expect(greeting(server, nobody)).rejects.toThrow(refused)
    const expired = await identityOf(authority, machine('b'), { now: now - 40 * day, days: 30 })
    await expect(greeting(server, expired)).rejects.toThrow(refused)
  })
})

describe('an identity on disk', () => {
  it('is read exactly as it was written, and no other user can read it', async () => {
    const identity = await identityOf(await createAuthority('shop', now), machine('a'))
    const root = mkdtempSync(join(tmpdir(), 'identity-'))
    onTestFinished(() => rmSync(root, { recursive: true }))
    const folder = new IdentityFolder(join(root, 'deep/identity'))
    expect(folder.exists()).toBe(false)
    folder.write(identity)
    expect(folder.read()).toEqual(identity)
    expect(statSync(folder.pem).mode & 0o777).toBe(0o600)
    expect(statSync(folder.folder).mode & 0o777).toBe(0o700)
  })
})

async function listening({ key, certificate, authority }: Identity): Promise<number> {
  const server = createServer({ key, cert: certificate, ca: authority, requestCert: true, rejectUnauthorized: true })
  server.on('secureConnection', (socket) => socket.end(`hello ${String(socket.getPeerCertificate().subject.CN)}`))
  server.on('tlsClientError', () => {})
  onTestFinished(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port // it listens on TCP
}

function greeting(port: number, { key, certificate, authority }: Partial<Identity>): Promise<string> {
  return new Promise((resolve, reject) => {
    const about = { port, host: '127.0.0.1', ca: authority, servername: 'a' }
    const socket: TLSSocket = connect({
      ...about,
      ...(key ? { key } : {}),
      ...(certificate ? { cert: certificate } : {}),
    })
    let text = ''
    socket.on('data', (chunk) => (text += String(chunk)))
    socket.on('error', reject)
    socket.on('end', () => (text ? resolve(text) : reject(new Error('closed'))))
  })
}
