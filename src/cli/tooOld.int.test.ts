import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { problemMediaType, toProblem } from '../api/problem.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { runCli } from './runCli.ts'
import { fakeController } from './testing/fakeController.ts'
import { hostHere, TestInterrupts } from './testing/testHost.ts'

it.each([
  ['status --at 30', 'no states of the past'],
  ['rollouts --at 30', 'no states of the past'],
  ['rollout show r1 --at 30', 'no states of the past'],
  ['events --last 5', 'no search for events'],
  ['releases shop --definition 4f1c09', 'no definitions of releases'],
  ['open', 'no page'],
])('%s says of an older controller that it has %s', async (command, lacks) => {
  const env = await fakeController((request, response) => {
    const problem = toProblem(new OperatorError('E_NOT_FOUND', `there is no ${request.url}`))
    response.writeHead(404, { 'content-type': problemMediaType }).end(JSON.stringify(problem))
  })
  const [stdout, stderr] = [new PassThrough().resume(), new PassThrough()]
  const stdin = (): never => expect.fail('reads no input')
  const host = hostHere({ stdin, stdout, stderr, env, cwd: '/', interrupts: () => new TestInterrupts() })
  expect(await runCli(command.split(' '), host)).toBe(4)
  stderr.end()
  expect(await text(stderr)).toContain(`has ${lacks} (E_NO_ABILITY)`)
})
