/** Answers with the file that it was started with. `--check FILE` prints the file, and accepts it unless it says `bad`. */
import { readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'

const [, , first, second] = process.argv
const path = first === '--check' ? second : first
const text = readFileSync(path, 'utf8')
if (first === '--check') {
  console.log(`read ${text}`)
  process.exit(text.includes('bad') ? 3 : 0)
}
const known = { path, text, mode: statSync(path).mode & 0o777, folder: process.env.TANDEM_FILES }

createServer((request, response) => {
  response.end(request.url === '/health' ? 'well' : JSON.stringify(known))
}).listen(Number(process.env.PORT), process.env.HOST)
