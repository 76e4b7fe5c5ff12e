import { once } from 'node:events'
import { Load } from '../system/load.ts'

// Generates load from the lab's network, as a separate process: `node loadProcess.ts OPTIONS-AS-JSON`. Exits at the end
// of its standard input, and prints the result as one line of JSON.
const load = new Load(JSON.parse(process.argv[2] ?? '{}') as ConstructorParameters<typeof Load>[0]) // by clientLoad.ts
load.start()
process.stdin.resume()
await once(process.stdin, 'end')
console.log(JSON.stringify(await load.stop()))
