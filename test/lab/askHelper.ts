/** A program that sends a request to a privileged helper, as the part that it serves does, and prints the answer. */
export const askingAt = (socket: string): string => `
import { connect } from 'node:net'
const socket = connect('${socket}')
socket.on('error', (error) => console.log('error ' + error.code))
socket.on('data', (data) => process.stdout.write(data))
socket.write(process.argv[1] + '\\n')
`
