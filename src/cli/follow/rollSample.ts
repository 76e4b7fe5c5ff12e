import { join } from 'node:path'
import type { ApiClient } from '../../api/client.ts'
import { ObjectsClient } from '../../api/objectsClient.ts'
import type { RolledSample } from '../../demo/tour.ts'
import { readDefinition } from '../../definitions/readDefinition.ts'
import { describeFolder } from '../../releases/describeFolder.ts'
import { publish } from '../../releases/publish.ts'
import { beginRollout } from './beginRollout.ts'
import { lastLinesOfFailure } from './lastLines.ts'
import { showProgress } from './progress.ts'
import { watchRollout } from './watchRollout.ts'
import { renderOutcome } from '../render/outcome.ts'
import type { Session } from '../session.ts'
import { OperatorError } from '../../lib/operatorError.ts'

const shownLines = 3

/** Does the same as `push`, without the build: publishes a folder, rolls it out, shows the rollout and its outcome. */
export async function rollSample(session: Session, client: ApiClient, folder: string): Promise<RolledSample> {
  const { out, signal } = session
  const { definition } = await readDefinition(join(folder, 'tandem.yaml'))
  const description = await describeFolder(folder, { definition, signal })
  await publish(description, new ObjectsClient(client), { signal })
  const asked = { service: definition.service, kind: 'deploy', release: description.id } as const
  const { rollout: begun } = await beginRollout(client, asked, { signal })
  if (begun === null) throw new OperatorError('E_BUG', 'the demo rolls to a release that runs already')
  const progress = await showProgress(out, begun)
  let rollout = begun
  try {
    for await (const now of watchRollout(client, begun.id, { signal })) {
      progress.update(now)
      rollout = now
    }
  } finally {
    await progress.end()
  }
  const { failedInstance, service } = rollout
  const { lines } = failedInstance
    ? await lastLinesOfFailure(client, service, failedInstance, shownLines, signal)
    : { lines: [] }
  for (const line of renderOutcome(rollout, lines, out.paintNote)) if (!line.startsWith('  next')) out.note(line)
  return { rollout, lastLines: lines }
}
