/** The life of one process: after `end`, nothing that it still computes reaches anything outside it. */
export class Life {
  #isOver = false

  get isOver(): boolean {
    return this.#isOver
  }

  end(): void {
    this.#isOver = true
  }

  /**
   * `target` as this process sees it. After the end, the methods in `effects` do nothing and never return, and callbacks
   * that the process has passed are not called any more.
   */
  view<T extends object>(target: T, effects: readonly (keyof T & string)[]): T {
    return new Proxy(target, {
      get: (_, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown => {
          const isEffect = (effects as readonly (string | symbol)[]).includes(name)
          if (this.#isOver && isEffect) return new Promise(() => {})
          const result: unknown = Reflect.apply(
            member,
            target,
            args.map((arg) => (typeof arg === 'function' ? this.#whileAlive(arg) : arg)),
          )
          return isEffect && result instanceof Promise ? this.#ifAlive(result) : result
        }
      },
    })
  }

  #whileAlive(call: Function): (...args: unknown[]) => unknown {
    return (...args) => (this.#isOver ? undefined : Reflect.apply(call, undefined, args))
  }

  /** A process that was killed while it waited never learns the outcome. */
  #ifAlive(result: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      result.then(
        (value) => {
          if (!this.#isOver) resolve(value)
        },
        (error: unknown) => {
          if (!this.#isOver) reject(error)
        },
      )
    })
  }
}
