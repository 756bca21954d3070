// Loaded with `--import`: prints the most memory that the process ever had.
process.on('exit', () => {
  process.stderr.write(`peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MB\n`)
})
