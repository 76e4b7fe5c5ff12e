import { renderDefinition } from '../render/definition.ts'
import { renderReleases } from '../render/releases.ts'
import type { CommonFlags, Session } from '../session.ts'
import { newerCall } from '../tooOld.ts'
import { noSuchService } from '../noSuchService.ts'

interface Flags extends CommonFlags {
  definition?: string
}

export async function releases(session: Session, flags: Flags, service: string): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  if (flags.definition !== undefined) {
    const params = { service, release: flags.definition }
    const definition = await newerCall(
      client,
      'releaseDefinition',
      { params },
      { lacks: 'no definitions of releases', signal },
    )
    out.result(definition, () => renderDefinition(definition, out.paint))
    return 0
  }
  const [{ releases: published }, status] = await Promise.all([
    client.call('releases', { query: { service } }, signal),
    client.call('status', {}, signal),
  ])
  const current = status.services.find((one) => one.service === service)
  if (published.length === 0 && current === undefined) {
    throw noSuchService(
      service,
      status.services.map((one) => one.service),
    )
  }
  const running = current?.instances.filter(({ state }) => state !== 'stopped' && state !== 'failed') ?? []
  const listed = published.map((release) => ({
    ...release,
    current: release.release === current?.release,
    machines: [...new Set(running.filter((one) => one.release === release.release).map(({ machine }) => machine))],
  }))
  out.result({ service, releases: listed }, () => renderReleases(listed, Date.now(), out.paint))
  return 0
}
