import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { InstanceLog } from '../logs/instanceLog.ts'
import type { InstanceSpec } from '../supervisor.ts'
import type { Gate } from './gate.ts'
import { readOutput, type InstanceOutput } from './instanceOutput.ts'
import { openOutputPipes, type OutputPipe } from './outputPipe.ts'
import type { ProcessHouse } from './processHouse.ts'

/** A gate that waits, with its control groups made and its output read. */
export interface Born {
  child: ChildProcess
  pid: number
  groups: string[]
  output: InstanceOutput
}

/** Throws, leaving nothing behind, when the machine has no process or no control group to give. */
export async function spawnGate(house: ProcessHouse, spec: InstanceSpec, gate: Gate, log: InstanceLog): Promise<Born> {
  const groups = house.cgroups.create(spec.id, spec.limits)
  let pipes: OutputPipe[] = []
  try {
    pipes = await openOutputPipes(
      [join(house.runFolder, `${spec.id}.out`), join(house.runFolder, `${spec.id}.err`)],
      house.runAs,
    )
    const [out, err] = pipes
    if (out === undefined || err === undefined) throw new Error('no pipes for the output')
    const child = spawn(gate.file, gate.args, {
      cwd: spec.cwd,
      env: gate.env,
      detached: true, // a session and process group of its own
      stdio: ['pipe', out.writeFd, err.writeFd],
      ...house.runAs,
    })
    child.stdin?.on('error', () => {}) // a gate that ended early: its exit tells
    await once(child, 'spawn')
    if (child.pid === undefined) throw new Error('no pid')
    for (const pipe of pipes) pipe.release()
    return { child, pid: child.pid, groups, output: readOutput(out.reader, err.reader, log, house.limits) }
  } catch (error) {
    for (const pipe of pipes) {
      pipe.release()
      pipe.reader.destroy()
    }
    await house.cgroups.remove(groups)
    throw new Error(`no process can be started for ${spec.id}`, { cause: error })
  }
}
