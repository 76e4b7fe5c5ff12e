import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Definition } from '../../src/definitions/definition.ts'
import { parseDefinition } from '../../src/definitions/parseDefinition.ts'
import { failuresOf, type Pushed } from '../system/rollUnderLoad.ts'
import { ClientLoad } from './clientLoad.ts'
import { copyExample, exampleFolder, examples, type Edit } from './copiedExample.ts'
import { installPackages } from './debianPackages.ts'
import { installModules } from './npmExample.ts'
import type { LabMachine } from './labMachine.ts'
import type { Pair } from './pair.ts'
import { programs, type Program } from './programs.ts'
import { bootMs } from './sharedPair.ts'

const definitionOf = ({ folder }: Program): Definition =>
  parseDefinition(readFileSync(join(examples, folder, 'tandem.yaml'), 'utf8'), 'tandem.yaml').definition
/** One that replaces its only instance needs permission to be away for a moment. */
const outage = (program: Program): string[] =>
  definitionOf(program).rollout.strategy === 'replace' ? ['--allow-outage'] : []

const areAll = (answer: RegExp) => (texts: string[]) => texts.every((text) => answer.test(text))

/** Programs that nobody here wrote, from Debian, each by the definition in its folder of examples/. */
export const programsSuite = (lend: () => Promise<Pair>): void => {
  const services = programs.map((program) => definitionOf(program).service)

  describe(`programs of Debian: ${services.join(', ')}`, () => {
    let pair: Pair
    const machine = (name: string): LabMachine => pair.lab.machine(name)
    const push = async (program: Program, edit?: Edit): Promise<Pushed & { err: string }> => {
      copyExample(pair.controller, program.folder, edit)
      return pair.tandem<Pushed>('push', exampleFolder(program.folder), ...outage(program))
    }
    /** The answer of the service, at the entry of each machine if it has one. */
    const answers = async ({ ask }: Program, path = '/'): Promise<string[]> => {
      if ('argv' in ask) return [(await machine('b').run(ask.argv)).out]
      const asked = pair.entries.map((entry) =>
        pair.lab.client.run(['curl', '-s', '--max-time', '5', '-H', `Host: ${ask.host}`, `${entry}${path}`]),
      )
      return (await Promise.all(asked)).map(({ out }) => out)
    }
    const expectAnswers = async (program: Program, answer: RegExp, path?: string): Promise<void> => {
      for (const text of await answers(program, path)) expect(text).toMatch(answer)
    }

    beforeAll(async () => {
      pair = await lend()
      const packages = programs.flatMap((program) => [
        ...(definitionOf(program).requires?.packages ?? []),
        ...(program.tools ?? []),
      ])
      const why = await installPackages(['a', 'b'].map(machine), packages)
      if (why !== null) throw new Error(why)
      for (const { folder } of programs) {
        const example = join(examples, folder)
        if (!existsSync(join(example, 'package.json'))) continue
        const whyNot = await installModules(pair.controller, example, exampleFolder(folder))
        if (whyNot !== null) throw new Error(whyNot)
      }
    }, bootMs)
    afterAll(async () => {
      for (const service of services.toReversed())
        if ((await pair.status()).services.some((one) => one.service === service)) await pair.remove(service)
    })

    describe.each(programs)('$folder', (program) => {
      const { service, rollout, machines } = definitionOf(program)

      it('runs from its definition', async () => {
        const pushed = await push(program)
        expect(pushed, pushed.err).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
        await expectAnswers(program, program.answer)
        if (program.through) await expectAnswers(program, program.through.answer, program.through.path)
        if (program.keeps) await machine('b').must(program.keeps.write)
      })

      it('is rolled, under load if two of it may run side by side', async () => {
        const { ask } = program
        const load =
          'host' in ask && rollout.strategy === 'overlap'
            ? new ClientLoad(pair.lab, { entries: pair.entries, perSecond: 50, shortOnly: true, host: ask.host })
            : null
        const pushed = await push(program, program.change)
        expect(pushed, pushed.err).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
        await expectAnswers(program, program.changed)
        if (!load) return
        const result = await load.stop()
        expect(failuresOf(result)).toEqual([])
        // A rollout takes more than a second; on a busy computer the load begins late.
        expect(result.requests).toBeGreaterThan(10)
      })

      it('stays as it is when a release is broken, and says why', async () => {
        const pushed = await push(program, program.mistake)
        expect(pushed, pushed.err).toMatchObject({ exit: 1, rollout: { state: 'reverted' } })
        expect(pushed.err).toMatch(program.why)
        await expectAnswers(program, program.changed)
      })

      it('is rolled back', async () => {
        const back = await pair.tandem<Pushed>('rollback', service, ...outage(program))
        expect(back, back.err).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
        await expectAnswers(program, program.answer)
      })

      const { inside } = program
      if (inside)
        it('lets a command in beside an instance', async () => {
          const { instances = [] } = (await pair.status()).services.find((one) => one.service === service) ?? {}
          const command = ['tandem', 'exec', instances[0]?.id ?? '', '--', ...inside.argv]
          expect(await pair.controller.must(command)).toMatch(inside.answer)
        })

      it('is there again after it was killed, and the other machine serves meanwhile', async () => {
        const restarts = async (): Promise<string | undefined> => {
          const { instances = [] } = (await pair.status()).services.find((one) => one.service === service) ?? {}
          const one = instances.find((instance) => instance.machine === 'a')
          return `${one?.state} ${one?.restarts}`
        }
        await machine('a').must(['sh', '-c', `systemctl kill -s KILL "tandem-${service}-*"`])
        if (machines === null) expect((await answers(program))[1]).toMatch(program.answer)
        await expect.poll(restarts).toBe('ready 1')
        // The balancers take it again after a check of their own.
        await expect.poll(() => answers(program)).toSatisfy(areAll(program.answer))
        if (program.keeps) expect(await machine('b').must(program.keeps.read)).toMatch(program.keeps.value)
      })
    })
  })
}
