import type { RolloutView } from '../../api/views.ts'
import type { Paint } from '../paint.ts'
import { shortId } from '../../definitions/names.ts'

/** `rollout 4kf2m8xd  shop: 3f2a91bc04de -> 77aa01fe93b2`. */
export function rolloutTitle(rollout: RolloutView, paint: Paint): string {
  return `rollout ${paint('bold', rollout.id)}  ${rollout.service}: ${whatIsRolled(rollout)}`
}

export function whatIsRolled({ kind, release, previous }: RolloutView): string {
  switch (kind) {
    case 'deploy':
    case 'rollback': {
      const from = previous === null ? '' : `${shortId(previous)} → `
      return `${from}${shortId(release)}${kind === 'rollback' ? ' (rollback)' : ''}`
    }
    case 'restart':
    case 'start':
      return `${kind} ${shortId(release)}`
    case 'stop':
    case 'remove':
      return kind
  }
}
