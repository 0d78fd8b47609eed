process.stderr.write('the cipher was imported\n')
process.exit(0)
export default {}
