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

/** A gate that waits, with its control groups made and its output read. */
export interface Born {
  child: ChildProcess
  pid: number
  groups: string[]
  /** The gate reads its line from here; later the program's input, where it is attached. */
  input: Writable
  output: InstanceOutput
  streams?: ProgramStreams
}

/** Throws, leaving nothing behind, when the machine has no process or no control group to give. */
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
      detached: true, // a session and process group of its own
      stdio: [into?.childFd ?? 'pipe', out.childFd, err.childFd],
      ...house.runAs,
    })
    const input = into?.end ?? child.stdin
    if (input === null || input === undefined) throw new Error('no pipe for the input')
    input.on('error', () => {}) // a gate that ended early, or a program that does not read: its exit tells
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
    throw new Error(`no process can be started for ${spec.id}`, { cause: error })
  }
}
