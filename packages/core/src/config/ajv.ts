// The validator, in a file that is imported only where something is to be validated: from a CommonJS module in a bundle,
// `await import` gives no names.
export { Ajv2020 } from 'ajv/dist/2020.js'
