import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import type { InstanceLog } from '../logs/instanceLog.ts'
import type { InstanceSpec, ProgramStreams } from '../supervisor.ts'
import type { Gate } from './gate.ts'
import { attachedOutput } from './attachedOutput.ts'
import { readOutput, type InstanceOutput } from './instanceOutput.ts'
import { openProgramPipes, type ProgramPipe } from './programPipes.ts'
import type { ProcessHouse } from './processHouse.ts'

/** A waiting gate, with its control groups created and its output being read. */
export interface Born {
  child: ChildProcess
  pid: number
  groups: string[]
  /** The gate reads its line from here; later this is the input of an attached program. */
  input: Writable
  output: InstanceOutput
  streams?: ProgramStreams
}

/** Throws if the machine cannot provide a process or control group, and leaves nothing behind. */
export async function spawnGate(house: ProcessHouse, spec: InstanceSpec, gate: Gate, log: InstanceLog): Promise<Born> {
  const groups = house.cgroups.create(spec.id, spec.limits)
  let pipes: ProgramPipe[] = []
  try {
    pipes = await openProgramPipes(
      (['out', 'err', ...(spec.attached ? (['in'] as const) : [])] as const).map((name) => ({
        path: join(house.runFolder, `${spec.id}.${name}`),
        direction: name === 'in' ? 'in' : 'out',
      })),
      house.runAs,
    )
    const [out, err, into] = pipes
    if (out === undefined || err === undefined) throw new Error('no pipes for the output')
    const child = spawn(gate.file, gate.args, {
      cwd: spec.cwd,
      env: gate.env,
      detached: true, // its own session and process group
      stdio: [into?.childFd ?? 'pipe', out.childFd, err.childFd],
      ...house.runAs,
    })
    const input = into?.end ?? child.stdin
    if (input === null || input === undefined) throw new Error('no pipe for the input')
    input.on('error', () => {}) // the gate ended early, or the program does not read; its exit status shows which
    await once(child, 'spawn')
    if (child.pid === undefined) throw new Error('no pid')
    for (const pipe of pipes) pipe.release()
    const born = { child, pid: child.pid, groups, input }
    if (!spec.attached) return { ...born, output: readOutput(out.end, err.end, log, house.limits) }
    const { output, stdout, stderr } = attachedOutput(out.end, err.end, house.limits)
    return { ...born, output, streams: { stdin: input, stdout, stderr } }
  } catch (error) {
    for (const pipe of pipes) {
      pipe.release()
      pipe.end.destroy()
    }
    await house.cgroups.remove(groups)
    throw new Error(`cannot start a process for ${spec.id}`, { cause: error })
  }
}
