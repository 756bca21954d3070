import { openFaultProxy } from '../test/helpers/fault-proxy.ts'

/**
 * A line to a server: its address, delay of one way in ms, bytes a second towards the client.
 * Prints its own address.
 */
const [target = '', delayMs = '0', bytesPerSecond = '0'] = process.argv.slice(2)
const line = await openFaultProxy(target, { delayMs: Number(delayMs), bytesPerSecond: Number(bytesPerSecond) })
console.log(line.url)
