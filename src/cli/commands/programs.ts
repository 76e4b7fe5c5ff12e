import { resolve } from 'node:path'
import type { AgentProgram } from '../programs.ts'
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
  return host.programs.runController({
    ...{ cluster, laptop, port, host: flags.host },
    data: resolve(host.cwd, flags.data),
    storeCapBytes: flags.storeCap ?? null,
    admitFile: flags.admitFile === undefined ? null : resolve(host.cwd, flags.admitFile),
  })
}

type AgentFlags = CommonFlags &
  Omit<AgentProgram, 'controllerUrl' | 'secretsFolder' | 'cacheCapBytes'> & {
    controller: string
    secrets: string
    cacheCap?: number
  }

export async function runAgent({ host }: Session, flags: AgentFlags): Promise<number> {
  const { machine, httpPort, forwardPort, metricsPort, ports, tcpOffset } = flags
  return host.programs.runAgent({
    ...{ machine, httpPort, forwardPort, metricsPort, ports, tcpOffset, host: flags.host },
    controllerUrl: flags.controller,
    tokenFile: resolve(host.cwd, flags.tokenFile),
    data: resolve(host.cwd, flags.data),
    secretsFolder: resolve(host.cwd, flags.secrets),
    cacheCapBytes: flags.cacheCap ?? null,
  })
}
