import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { problemMediaType, toProblem } from '../api/problem.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { runCli } from './runCli.ts'
import { fakeController } from './testing/fakeController.ts'
import { hostHere, TestInterrupts } from './testing/testHost.ts'

it.each(['status', 'rollouts', 'rollout show r1'])(
  '%s --at says of an older controller that it has no past',
  async (command) => {
    const env = await fakeController((request, response) => {
      const problem = toProblem(new OperatorError('E_NOT_FOUND', `there is no ${request.url}`))
      response.writeHead(404, { 'content-type': problemMediaType }).end(JSON.stringify(problem))
    })
    const [stdout, stderr] = [new PassThrough().resume(), new PassThrough()]
    const stdin = (): never => expect.fail('reads no input')
    const host = hostHere({ stdin, stdout, stderr, env, cwd: '/', interrupts: () => new TestInterrupts() })
    expect(await runCli([...command.split(' '), '--at', '30'], host)).toBe(4)
    stderr.end()
    expect(await text(stderr)).toMatch(/has no states of the past \(E_NO_ABILITY\)/)
  },
)
