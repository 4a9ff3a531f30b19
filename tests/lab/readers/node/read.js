// Reads every file of a folder with the readers that Node has, and prints what each of them got.
//
//     read.js READER FOLDER
//
// The answer is one JSON object: the file's name, then what was read from it, or `{"error": …}`.

const { readFileSync, readdirSync } = require('fs')
const { join } = require('path')
const { parseEnv } = require('util')

const readers = {
  dotenv: text => require('dotenv').parse(text),
  'env-file': text => parseEnv(text.toString()),
  'js-yaml': text => require('js-yaml').load(text.toString()),
  yaml: text => require('yaml').parse(text.toString()),
}

const [reader, folder] = process.argv.slice(2)

function read (name) {
  try {
    return readers[reader](readFileSync(join(folder, name)))
  } catch (error) {
    return { error: String(error) }
  }
}

const answers = readdirSync(folder).sort().map(name => [name, read(name)])
process.stdout.write(JSON.stringify(Object.fromEntries(answers)))
