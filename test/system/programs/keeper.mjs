/** Answers with the secrets that it was started with. Does not start with a password that begins with "wrong". */
import { readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const folder = process.env.CREDENTIALS_DIRECTORY ?? ''
const path = join(folder, 'database')
const database = readFileSync(path, 'utf8')
if (database.startsWith('wrong')) throw new Error('the database refuses this password')
const known = { database, mail: process.env.MAIL_PASSWORD, folder, mode: statSync(path).mode & 0o777 }

createServer((request, response) => {
  response.end(request.url === '/health' ? 'well' : JSON.stringify(known))
}).listen(Number(process.env.PORT), process.env.HOST)
