import { expect, it } from 'vitest'
import { plain } from '../paint.ts'
import { statusView } from '../testing/views.ts'
import { renderUp } from './up.ts'

const shown = (replaced: string | null): string =>
  renderUp({
    ...{ status: statusView({ services: [] }), entries: { a: 'http://127.0.0.1:8001' } },
    ...{ controller: 'http://127.0.0.1:7580', data: '/d', context: 'local', current: true, replaced, paint: plain },
  })

it('names the cluster to which the context led before, because commands no longer reach it', () => {
  expect(shown('http://127.0.0.1:7480')).toContain('context local led to http://127.0.0.1:7480 before')
  expect(shown('http://127.0.0.1:7480')).toContain('tandem up --context NAME')
  expect(shown(null)).not.toContain('before')
})
