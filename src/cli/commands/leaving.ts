import { resolve } from 'node:path'
import { OperatorError } from '../../lib/operatorError.ts'
import { renderLeft } from '../render/left.ts'
import type { CommonFlags, Session } from '../session.ts'

type LeaveFlags = CommonFlags & { data: string; purge: boolean; keepData: boolean; removeData: boolean }

export async function leaveMachine({ host, out }: Session, flags: LeaveFlags): Promise<number> {
  const { purge, keepData, removeData } = flags
  const data = resolve(host.cwd, flags.data)
  if ((keepData || removeData) && !purge) throw misused('--keep-data and --remove-data need --purge')
  if (keepData && removeData) throw misused('use --keep-data or --remove-data, not both')
  const serviceData = keepData ? 'keep' : removeData ? 'remove' : null
  const left = await host.entryPoints.leaveMachine({ data, purge, serviceData })
  out.result({ left: true, ...left }, () => renderLeft(left, purge))
  return 0
}

const misused = (what: string): OperatorError =>
  new OperatorError('E_USAGE', what, { subject: 'tandem agent leave', next: 'tandem agent leave --help' })
