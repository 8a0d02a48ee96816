#!/bin/bash
# A real package from the npm registry, installed with what it depends on, and run.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC1090,SC2016
for part in common differential build; do . "$(dirname "$0")/../lib/$part.sh"; done
need node npm

fixture() {
  mkdir test && cat >test/sum.js <<'EOJ'
const assert = require('assert'), fs = require('fs'), path = require('path');
describe('files', () => {
  it('writes and reads', () => { fs.writeFileSync('w', 'x'); assert.equal(fs.readFileSync('w', 'utf8'), 'x'); });
  it('lists', () => assert.ok(fs.readdirSync(path.join(__dirname, '..')).includes('w')));
  it('renames, links, removes', () => {
    fs.renameSync('w', 'v'); fs.symlinkSync('v', 'l'); assert.equal(fs.realpathSync('l'), path.resolve('v'));
    fs.mkdirSync('d/e/f', { recursive: true }); fs.cpSync('v', 'd/e/f/v'); fs.rmSync('d', { recursive: true });
    assert.ok(!fs.existsSync('d'));
  });
  it('streams', (done) => fs.createReadStream('v').pipe(fs.createWriteStream('u')).on('close', done));
  it('watches', (done) => { const w = fs.watch('.', () => { w.close(); done(); }); setTimeout(() => fs.writeFileSync('t', ''), 50); });
});
EOJ
  echo '{"name": "judged", "version": "1.0.0", "private": true, "scripts": {"test": "mocha --reporter dot test"}}' >package.json
}
begin work_npm
npm config set cache "$T/npm-cache" && npm config set fund false && npm config set audit false
npm config set update-notifier false && npm config set loglevel error
# Times stand in npm's own logs, and durations in what mocha prints.
volatile+='|/node_modules/\.package-lock\.json'
step "npm install" 'npm install --prefer-offline --save-exact --save-dev mocha@10.2.0 2>&1 | sed "s/ in [0-9a-z.]*//" && npm ls --all | wc -l && ls -l node_modules/.bin | wc -l'
step "npm test" 'npm test 2>&1 | sed -E "s/\([0-9]+m?s\)//"'
commit_here
step "after a commit: npm test, npm ci" 'npm test 2>&1 | sed -E "s/\([0-9]+m?s\)//" && npm ci --prefer-offline 2>&1 | sed "s/ in [0-9a-z.]*//" && npm test 2>&1 | sed -E "s/\([0-9]+m?s\)//"'
step "npm pack, uninstall, npx" 'npx mocha --version && npm pack 2>&1 | tail -n 1 && tar -tf judged-1.0.0.tgz | sort && npm uninstall mocha 2>&1 | sed "s/ in [0-9a-z.]*//" && ls'
build_everywhere
finish
