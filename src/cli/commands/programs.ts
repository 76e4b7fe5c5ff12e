import { resolve } from 'node:path'
import { OperatorError } from '../../lib/operatorError.ts'
import type { AgentProgram } from '../entryPoints.ts'
import type { CommonFlags, Session } from '../session.ts'

type ControllerFlags = CommonFlags & {
  cluster: string
  laptop: boolean
  data: string
  host: string
  port: number
  storeCap?: number
  admitFile?: string
}

export async function runController({ host }: Session, flags: ControllerFlags): Promise<number> {
  const { cluster, laptop, port } = flags
  return host.entryPoints.runController({
    ...{ cluster, laptop, port, host: flags.host },
    data: resolve(host.cwd, flags.data),
    storeCapBytes: flags.storeCap ?? null,
    admitFile: flags.admitFile === undefined ? null : resolve(host.cwd, flags.admitFile),
  })
}

export async function runPrivileged({ host }: Session, { data }: CommonFlags & { data: string }): Promise<number> {
  return host.entryPoints.runPrivileged({ data: resolve(host.cwd, data) })
}

export async function runControllerHelper(
  { host }: Session,
  { data }: CommonFlags & { data: string },
): Promise<number> {
  return host.entryPoints.runControllerHelper({ data: resolve(host.cwd, data) })
}

type AgentFlags = CommonFlags &
  Omit<AgentProgram, 'given' | 'secretsFolder' | 'cacheCapBytes'> & {
    machine?: string
    controller?: string
    tokenFile?: string
    secrets: string
    cacheCap?: number
  }

export async function runAgent({ host }: Session, flags: AgentFlags): Promise<number> {
  const { httpPort, forwardPort, metricsPort, ports, tcpOffset } = flags
  return host.entryPoints.runAgent({
    ...{ httpPort, forwardPort, metricsPort, ports, tcpOffset, host: flags.host },
    given: given(flags, host.cwd),
    data: resolve(host.cwd, flags.data),
    secretsFolder: resolve(host.cwd, flags.secrets),
    cacheCapBytes: flags.cacheCap ?? null,
  })
}

/** Takes all three flags, or none if this machine has joined. */
function given({ machine, controller, tokenFile }: AgentFlags, cwd: string): AgentProgram['given'] {
  if (machine !== undefined && controller !== undefined && tokenFile !== undefined) {
    return { machine, controllerUrl: controller, tokenFile: resolve(cwd, tokenFile) }
  }
  if (machine === undefined && controller === undefined && tokenFile === undefined) return null
  throw new OperatorError('E_USAGE', '--machine, --controller and --token-file must be given together', {
    subject: 'tandem agent run',
    next: 'give all three flags, or none on a machine that has joined',
  })
}
