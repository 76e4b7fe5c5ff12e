import { expect, it } from 'vitest'
import { fakeController } from '../testing/fakeController.ts'
import { runHere } from '../testing/testHost.ts'

const at = '2026-11-29T10:00:00.000Z'
const wrong = { area: 'disk', level: 'wrong', what: 'the disk is full', next: 'make room' }
const checks = [
  { machine: '(controller)', at, checked: ['disk'], findings: [] },
  { machine: 'a', at, checked: ['disk'], findings: [wrong] },
]

it('shows the newest checkups that the controller keeps, without asking any machine', async () => {
  const asked: (string | undefined)[] = []
  const env = await fakeController((request, response) => {
    asked.push(request.url)
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ checks }))
  })
  const { code, out } = await runHere(['doctor', '--kept'], env)
  expect([code, out]).toEqual([1, expect.stringMatching(/! +a +disk +the disk is full[^]*; the oldest .* ago\n$/)])
  const one = await runHere(['doctor', '--kept', '--machine', '(controller)', '--json'], env)
  expect([one.code, JSON.parse(one.out)]).toEqual([0, { well: true, machines: [checks[0]] }])
  expect(asked).toEqual(['/api/v1/checks', '/api/v1/checks'])
})

it('cannot show kept checkups of a folder, nor of an older controller', async () => {
  const env = await fakeController((_, response) => {
    const problem = {
      type: 'about:blank',
      title: 'x',
      status: 404,
      code: 'E_NOT_FOUND',
      detail: 'x',
      subject: null,
      next: null,
    }
    response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem))
  })
  const old = await runHere(['doctor', '--kept', '--json'], env)
  expect(JSON.parse(old.out)).toMatchObject({ error: { code: 'E_NO_ABILITY' } })
  const both = await runHere(['doctor', '--kept', '--data', 'x', '--json'], env)
  expect(JSON.parse(both.out)).toMatchObject({ error: { code: 'E_USAGE', subject: '--kept' } })
})
