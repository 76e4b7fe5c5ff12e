import { dirname, join, resolve } from 'node:path'
import type { ApiClient } from '../../api/client.ts'
import { ObjectsClient } from '../../api/objectsClient.ts'
import type { ReleaseSource } from '../../api/views.ts'
import type { Definition } from '../../definitions/definition.ts'
import { renderWarnings } from '../../definitions/problem.ts'
import { readDefinition } from '../../definitions/readDefinition.ts'
import { programFolder } from '../../lib/programFolder.ts'
import { describeFolder } from '../../releases/describeFolder.ts'
import { publish } from '../../releases/publish.ts'
import type { ReleaseDescription } from '../../releases/releaseDescription.ts'
import { runBuild } from '../../releases/runBuild.ts'
import { showSeconds } from '../duration.ts'
import { gitSource } from '../gitSource.ts'
import { contactLostNote, throughOutages } from '../follow/contact.ts'
import { ProgressLine } from '../progressLine.ts'
import { missingContent } from '../render/missingContent.ts'
import { count, showBytes } from '../render/names.ts'
import { shortId } from '../../definitions/names.ts'
import type { CommonFlags, Session } from '../session.ts'
import { featureContentChecks } from '../features.ts'
import { rollOut } from './rolling.ts'

type PushFlags = CommonFlags & { file?: string; noDeploy: boolean; allowOutage: boolean }

export async function push(session: Session, flags: PushFlags, dir?: string): Promise<number> {
  const { out, host } = session
  const file =
    flags.file === undefined ? join(resolve(host.cwd, dir ?? '.'), 'tandem.yaml') : resolve(host.cwd, flags.file)
  const folder = dir === undefined ? dirname(file) : resolve(host.cwd, dir)
  const { definition, warnings } = await readDefinition(file)
  if (warnings.length > 0) out.note(`${renderWarnings(warnings)}\n`)
  const { service } = definition
  const { client, status } = await session.announce(`${flags.noDeploy ? 'publish' : 'push'} ${service}`)
  const previous = status.services.find((one) => one.service === service)?.release ?? null
  const description = await publishFolder(session, client, definition, folder).catch((error: unknown) => {
    if (session.signal.aborted) out.note(`interrupted: ${service} was not rolled out; push again to start over`)
    throw error
  })
  if (!flags.noDeploy) {
    const { allowOutage } = flags
    const explain = (lines: readonly string[]): string[] => missingContent(lines, description.leftOut)
    return rollOut(session, client, { service, kind: 'deploy', release: description.id, allowOutage }, { explain })
  }
  out.note(`  next  tandem deploy ${service} --release ${shortId(description.id)}`)
  out.object({ service, release: description.id, previous, rollout: null })
  return 0
}

async function publishFolder(
  session: Session,
  client: ApiClient,
  definition: Definition,
  folder: string,
): Promise<ReleaseDescription> {
  await build(session, definition, folder)
  const source = gitSource(folder, session.host.env)
  const description = await describe(session, definition, folder)
  await featureContentChecks(definition, folder, description)
  for (const warning of description.warnings) session.out.warn(warning)
  await publishTo(session, client, description, await source)
  return description
}

/** The environment without the variables that Tandem's launcher adds. */
function callersEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE: cache, ...others } = env
  return cache?.startsWith(programFolder) ? others : env
}

async function build({ out, host, signal }: Session, definition: Definition, folder: string): Promise<void> {
  await runBuild(definition, folder, {
    env: callersEnvironment(host.env),
    signal,
    onCommand: (kind, command) => out.note(`${out.paintNote('bold', kind)}: ${command}`),
    // Only results go to stdout.
    onOutput: ({ bytes }) => out.raw('err', bytes),
  })
}

async function describe(session: Session, definition: Definition, folder: string): Promise<ReleaseDescription> {
  const { out, folders, signal } = session
  const line = new ProgressLine(out)
  try {
    return await describeFolder(folder, {
      definition,
      cacheFolder: folders.cache,
      signal,
      onProgress: ({ files, of }) => line.show(`reading  ${files} of ${count(of, 'file')}`),
    })
  } finally {
    line.clear()
  }
}

async function publishTo(
  session: Session,
  client: ApiClient,
  description: ReleaseDescription,
  source: ReleaseSource | null,
): Promise<void> {
  const { out, signal } = session
  const line = new ProgressLine(out)
  const startedAt = performance.now()
  const contact = { signal, onLost: () => out.note(contactLostNote) }
  try {
    const { sentBytes, sentObjects } = await throughOutages(
      () =>
        publish(description, new ObjectsClient(client, { source }), {
          signal,
          onProgress: ({ objects, ofObjects, sentBytes: bytes }) =>
            line.show(`sending  ${objects} of ${count(ofObjects, 'object')}, ${showBytes(bytes)}`),
        }),
      contact,
    )
    line.clear()
    const seconds = showSeconds(performance.now() - startedAt)
    const { id, files, bytes } = description
    const size = `${count(files, 'file')}, ${showBytes(bytes)}; ${showBytes(sentBytes)} sent in ${seconds}`
    out.note(`release ${out.paintNote('bold', shortId(id))}  ${size}`)
    out.object({
      published: { service: description.manifest.service, release: id, files, bytes, sentObjects, sentBytes },
    })
  } finally {
    line.clear()
  }
}
