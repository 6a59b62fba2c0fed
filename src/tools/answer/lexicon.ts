/**
 * What is known of the o200k vocabulary: enough to bound the length of telemetry and of our own answers in
 * tokens, without a tokenizer at run time (which costs 178 ms and 87 MB). The tests hold every entry against
 * a real tokenizer.
 */

/** Words that are one token alone and after a space, and at most two after any other character. */
const plain = `
AMD ARE ASCII AWS Abort About Added Adding Additional Additionally Adds Advanced Age Alias Alive Allowed
Already Also Alternative Always Andrew Apple Apps Arguments Assembly Authors Avg Avoid BSD BUT Badge Based
Because Below Ben Benchmark Best Bits Boom Both Browser Bug Built CLI Called Caller Calling Calls Case
Changed Changes Channels Checks Clause Cod Codes Collector Colors Comments Community Comparison
Compatibility Compile Complete Compression Conduct Connecting Connectivity Connector Consider Constructor
Contents Continue Contributor Conversion Copyright Credentials Currently DNS David Defaults Define Defines
Definitely Definition Depot Deprecated Descriptor Destination Details Detection Developer Development
Discord Distribution Docs Don Draft Drain Due Each Effects Electron English Every Example Examples
Explicit Express Extended FAQ Failed Failure Finished Fix Follow Formats Found Fran Fully Functions
Further GMT Generator Gets Getting Git Github Given HTTPS Handling Healthy Hello Here Hint History Hook
Hub IMPORTANT INCLUDING IPv ISC ISO Idle Implementation Important Imports Improve Inbox Inc Includes
Incoming Infinity Inside Installation Instead Integration Iterable Its James Japan Jet John Josh Just Keep
Known LOSS Learn License Like Limit Linux Loads Logs Looks MIT Mac Manual Maps May Maybe Meter Methods
Metric Metrics Microsoft Missing Most Multiple NSA Names Nathan Neither Nested Never Notes Nothing Numbers
OAuth Old Only Operations Optimize Origin Original Overflow Overview Own Parsed Parsing Passing Peer
Performance Pick Picker Plain Polar Pool Portugu Prefer Prefix Processor Prompt Proto Prototype Provide
Provides Providing Published Purpose Questions Quick README REST RFC Rabbit Rate Reads Ready Received
Records Recursive Reject Remarks Removed Represent Requests Reserved Resolution Resolver Responses Restore
Retry Returns Review Robin Rules Running Runs Rust STRICT Safari Same Samples Secure See Sent Servers
Serving Sets Setting Shows Since Smart Software Span Sponsors Started Stats Stores Streaming Studio
Summary Supported TTL Tcp Testing Thank Thanks Therefore Those Through Tokens Too Tracker Two UND URLs
Unary Unicode Unix Unless Unlike Unsafe Updated Upgrade Upper Usage Used Useful Uses Using Utf Watch Weak
Welcome Well Whether While Why Will Wire Within Without Worker Workers Works Wrapper Writable Writes
Writing Your aaa aad abc abe able above acceptable accepted accessible actually adapt adding addition adds
advanced affected ahead ais alerts allows alone along already also alternative always among anonymous
another ansi answered anything apart appear applications architecture aren around ascending aside asked
asks assigned associate associated attached aud authority authors automatic availability avatars avoid
aware away awesome bab babel badge bare bash battery baz because been behind being below bench benchmark
better blast blocking boom both bounded brace brief broken broker bugs building built bun burst cac caf
caller calling came cannot canonical care carry cause cea cef certain chains chalk changing charts
checking closing closure coded coding collector colon combined come comes comma commercial communications
compact comparison compatible compiled compressed compression computed concept conditional configured
confirmed connecting consider consistent constructed construction contain contained contributors
controlled converted copies copyright could coverage covered covers creates creating critical curl
currently dad dde dea deal decision declare decoded defines definitions deny depending deployment
deprecated deps derived desired developer development different discard discover distributed does doing
don downloads draft drops during early ebb ebe ecc edition efficient eight either embedded emoji ended
ending era eras escaped escaping eslint esm especially etc evaluation ever excluded exclusive expanded
expects experience expiry explicit express extends fails fall fallback falls fan favor feel few filled
finding fine firm five floating folders forces fork formatted fresh friendly frontend fully gets getter
getting gist give giving going got grammar graphql graphs great greater grep guards guide gzip had handled
handling hard hashed having healthy hello helps higher holds how human identify ignored immutable impact
implement implementation implemented implements implicitly important imports incident included including
inclusive incoming incorrect increase indexed individual infer inherit inherits installation installed
instead interpret issues iterate its jest keeping know koa lack lag late later law lead least ledger
legacy let lets lexer libraries licensed licenses limitations limited linked lint listed lite little
localhost located logos looking looks lost lot lots lowest made maintenance makes making mapped markdown
marked masked matched matter may maybe means merged might migration million milliseconds mind minimal
mixed modern months most mts much near nearest necessarily necessary needs neutral never newline nine nor
notation nothing npm occur offers official often older omit onto opaque opened opening optimization
optimized ordered ordering ordinary oss others otherwise our outlined outside overall overflow overview
overwrite own owns packed parsed passed passes passing past paused perfect performed permit persons pieces
please pod polar postgres potential predicate prefer preferred prepared prepend preset primitive principal
printed prints produce producer proper proposal protected provide provided published pure purpose
qualified queued queues quoted raised ran ranking rare rather reach reading readonly really recommend
recommended refer reflection regexp released remain replacement reported repos represent representation
resolved resolver respect restrict restricted retain returned reuse rights risk roots scenario seal sealed
see sending serialized serve served severity shall shares shed shim ships silent slash slow software
something specified spread stable stand stars starting statuses stay still stored stores streams strong
structured structures stuff such sure systems takes taking tbody tenant terminate terminated tested thank
thanks there these they thing things think those though through throws thus tiny toc too tracked traffic
treated trust trusted trying ttl turned typed typeof typically undef unexpected unix unless unsafe unset
unsupported upon usable uses usual usually validated vary verb verbosity verification very via visitor
walking wanted warm warnings ways weak webpack welcome well were whatever whether while who whole whose
why wiki will wish within won working works would wrapped writes writing yet yield your
`

/** The same, and one token after an underscore. */
const afterUnderscore = `
ADDRESS AND ANY AST CACHE CALL CPU DIR DIRECT ENV ERR EXPORT FOR FROM FULL HEAD Impl KEEP LEVEL LICENSE
LIST NOTE OPTIONS OTHER PATH PER RATE RESOURCE RPC SERVICE SPECIAL TCP THE THIS TLS USE WITH added
addresses again agents alarm alive amp arrays attempt authenticated backup based basis between blob budget
bug busy campaign cases certificate changes charge checks chunks completion complex configs continue
conversion counts ctor cycle cycles dash decimal defined depend dependency descriptor difference digits
distribution dns due duplicate duplicates else encoded epoch even exact except existing extended far fault
fee formats formatter found four gap gate generation given globals half handles here hits hold hook hooks
hosts https idle information inside instruction ipv iteration keywords known letter letters levels license
limits linux listing lists manifest many matching meter minor missing multiple needed negative nested
numbers owned packages pair pairs perf phrase picker ping places plain ports positive possible prior probe
processed processors quality queries quotes ranges rates reads received recent registered regular removed
reports requested reserved resolution returns revision runs sampling scores scripts secure seen segments
sentence servers sets signed since sizes spaces specific strings suffix suite supported taken terminal
terms than that threads three tls tracking under unicode unknown unsigned unused updates upgrade usage
using usr utf versions void way wire without workers written wrong
`

/** The same as `plain`, and one token after a full stop. */
const afterStop = `
Absolute Access Actions After Agent Allow And Annotation Any Api Application Args Argument Async
Attributes Auth Authentication Background Bad Basic Batch Before Big Body Bool Boolean Build Builder But
Byte Bytes CSS Cache Can Certificate Change Child Chrome Clone Cloud Collection Commands Concurrent
Configuration Configure Connect Connection Console Const Convert Counter Decode Delay Dependency Depth
Description Deserialize Dev Diagnostics Dir Direct Directory Disable Dispatch Does Double Drop Duration
Dynamic Edge Empty Enabled Encode Encoding Endpoint Engine Entry Enum Environment Equal Events Exchange
Exit Exp Expected Experimental Export Extension Factory Fast Feature Features Fetch Fields Files Fixed
Flags Float Full Generate Generated Getter Google Graph Has Hash Headers Health Help High Host How Http
Identity Import Include Information Initial Install Interval JWT Java Json Keys Language Lib Library
Linked Listen Listener Loader Location Logger Logging Low Make Many Mapping Mark Match Math Maximum Media
Memory Merge Messages Mock Modified Modules More Msg Multi Must Named Namespace Native Network Next Non
Note Now Null Objects Once One Option Optional Options Other Override PUT Package Pair Parameter
Parameters Parent Parser Part Pass Paths Pattern Payload Pending Percent Permission Please Plugin Policy
Power Priority Pro Progress Promise Properties Protocol Provider Proxy Pull Push Queue Range Raw React
Reader Receive Ref Reference Reflection Regex Registry Regular Release Replace Reporting Repository
Require Required Requires Resolve Resource Resources Results Root Round Rule SDK Safe Schema Scope Script
Second Security Serialize Services Shared Short Signal Simple Single Skip Socket Some Spec Special Speed
Split Stack Standard Starts Storage Store Strict Subscription Success Super Support Symbol Sync Tech Term
Tests That The Then There These They This Throw Throws Timeout Timestamp Token Tool Tools Top Trace
Transfer Transform Transport Tree Try Typed Types UInt UTC Uint Unique Unknown Unsupported Uri Url Use
Utility Valid Validate Validation Validator Values Variable Verify Version Visit Visual Warning What Where
Windows World Writer You Zero abstract additional apache argv ask audit authentication authorization await
azure belongs but calculate camel catch challenge characters closest collections combine community
compiler compose compress configure consume consumer cookies cool cwd deep deploy describe deserialize did
dirname discord effects ends ensure enterprise exclude exe experimental figure flight foo github glob
gmail grpc hardware includes inject inspect instructions instrument integration invoke javascript just
kill leading learn life listen listeners loads look matcher maximum middleware mime minimum minute
multipart must ones opens organization parents pathname perform performance personal practice pretty
prevent production promise protobuf prototype providers quick react redis references reflect reject
repositories resolve respond responses retrieve rollback routing say schemas semantic serialization
serialize solve starts stderr stdin strict syntax tech tell ten them third timeline transparent twitter
undefined utilities utility want was website what which workflow yellow
`

/** The same as `plain`, and one token after either. */
const afterBoth = `
ACTION ALL API APP Action Add Address All App Array Base Buffer CLIENT CODE CONNECT Call Callback Channel
Check Class Click Client Close Code Color Command Common Config Content Context Control Controller Core
Count Create Current Custom DATA DEBUG DEFAULT DELETE Data Date Debug Default Display END ERROR EVENT
Enable End Equals Error Event FILE Field File Filter Find First For Form Format From Function GET Generic
Get Global Group HTML HTTP Handle Handler Header Helper INFO INVALID Index Info Init Input Insert Instance
Int Integer Interface Internal Invalid Items JSON KEY Key LOG Label Last Length Level Line Link List Load
Local Log Long MAX Main Map Max Message Meta Metadata Method Min Mode Model Module NAME NODE NONE NOT Name
New Node None Not Number ONE OPEN OUT Object Open Out Output PORT POST Params Parse Path Per Port Post Pre
Process Project Property Public Query Read Record Reg Register Remove Report Request Response Result
Return Run Runtime SIZE SQL START Save Search Select Send Server Service Set Settings Should Show Size
Source Start State Static Status Stream String Sub Surface Syntax System TYPE Table Target Template Test
Text Time Timer Total Type UNKNOWN URI URL UTF Update User VALUE VERSION Value View WARNING Web When
Window With Work Write abort about absolute acc accept access account action actions active actual adapter
add address admin after age agent alert alias align all alloc allow allowed alpha alt amount analysis and
annotations answer answers any api app append application apply apps are arg args argument arguments arr
array arrow assert assets assign assignment async attach attribute attributes audio auth author auto
available avatar average back backend bad banner bar base basic batch before begin best big bin binary
bind binding bit bits black blank block blocks blog blue body bool boolean bound bounds box branch brand
break browser buf buffer build builder bundle byte bytes cache cached call callback called calls can
cancel cap capture cart case cat catalog center cert chain change changed channel channels char character
charset chat check checked checkout child children choice choose chunk claim class classes clean cleanup
clear cli client clients clock clone close closed cloud cmd code codec codes collect collection color
colors column columns com command commands comment comments commit common company compare compile complete
completed component components concat condition conditions config configuration connect connected
connection connections connector console const constant constants constraints construct constructor
contact container contains content contents context contract control controls convert cookie coordinate
copy core correct cost count counter cover cpu create created creation credentials cross css csv ctx
current cursor custom customer cut daily dark dashboard data database dataset date day days dead debug dec
decode decoder def default defaults define definition delay delete deleted delta demo dep dependencies
depth description design dest destination destroy detail details detect dev dictionary diff dir direct
direction directory disable disabled disconnect disk dispatch display dist div doc docs document documents
dom domain done dot double down download drive drop duration dynamic each easy echo edge edges edit editor
effect element elements email emit empty enable enabled encode encoder encoding end endpoint engine
entities entity entries entry enum env environment equal equals err error errors escape eval event events
every example examples exception exec execute execution exist exists exit expand expect expected export
exports expression ext extend extension extensions external extra extract fact factor factory fail failed
failure fake false family fast feature features feedback fetch field fields file filename files fill
filter filtered filters final find finish finished first fit fix fixed flag flags flat float floor flow
flush folder follow for force form format forms forward fragment frame frames framework free from front
full function functions future gateway gen general generate generated generator generic get git global
goal good google graph green group groups guard hand handle handler handlers has hash have head header
headers health height help helper helpers hex hidden hide high history hit horizontal host hostname hot
hour hours href html http icon identifier identity ids ignore image images img import inc include index
indices info init initial initialize inline inner input inputs insert install instance instances int
integer interface interfaces internal interval into invalid inventory iso issue item items iterator java
join json keep key keys keyword kind label labels land lang language languages large last latest layer
layers layout lazy leave left len length less level lib library light like limit line linear lines link
links list listener literal live load loaded loader loading local location locations lock log logged
logger logging logic login logo logs long lookup loop loss low lower mac machine magic main major make
management manager manual map mapping maps mark master match matches math matrix max mean media medium
member members memory merge message messages met meta metadata method metric metrics middle min minutes
mix mock mod mode model models modified modify module modules more move msg multi name named names
namespace native need net network new next node nodes non none normal not note notes notice notification
now null num number numeric obj object objects off offer offset old once one online only open operation
operations operator ops opt option optional options opts order org origin original other out output
outputs over override owner package padding page pages param parameter parameters params parent parse
parser part partial parts party pass password patch path paths pattern pause payload payment peer pending
people per percent permission permissions person phase php pick picture pid pin pipe pipeline pkg place
placeholder platform play plugin plugins plus png point pointer points policy pool port pos position
positions post power pre prefix present previous primary print priority private problem process processing
product products program progress project projects prompt prop properties property proto protocol provider
proxy public publish pull push put query question questions queue radius raise random range rate raw read
reader ready real reason receiver record red redirect reduce ref reference refresh refs regex region
register registration registry rel related release reload remaining remote remove render replace reply
repo report repository req request requests require required requires res reset resource resources
response rest restart restore result results resume retry return reverse review right root round route
router routes row rows rpc rule rules run runner running runtime safe same sample samples save saved scale
schedule schema scheme scope score script sdk search sec second seconds secret section security seed
segment select selected selection selector self sell send sent sep separator sequence serializer series
server service services session sessions set setting settings shape share shell shift shipping short show
side sign signal simple single site size skill skip slice slot small snapshot socket soft solution some
sort sorted source sources space span spawn spec special speed split square src stack stage standard start
started stat state statement states static stats status std stdout step steps stop storage store str
strategy stream string strip structure style sub success sum summary sup super support surface svg switch
symbol sync system tab table tables tag tags tail take target task tasks team template templates term test
testing tests text the then this thread threshold throw ticket time timer times timestamp title token
tokens tool tools top total trace track train transaction transform transition transport tree trigger trim
trip true truth try turn two txt type types uint union unique unit units until update updated upper uri
url use used user username users util utils val valid validate validation validator value values var
variable variables variant vars vector verbose verify version video view views virtual visibility visible
visit wait walk warn warning watch web when where white width win window windows with word words work
worker world wrap wrapper write writer www xml xyz yaml you zero zone
`

/** Bits of a word: one token alone or after a space; after an underscore; after a full stop. */
export const wordBits: { readonly spaced: 1; readonly underscore: 2; readonly stop: 4 } = {
  spaced: 1,
  underscore: 2,
  stop: 4,
}

function gather(): ReadonlyMap<string, number> {
  const known = new Map<string, number>()
  const add = (list: string, bits: number): void => {
    for (const word of list.trim().split(/\s+/)) known.set(word, bits)
  }
  add(plain, wordBits.spaced)
  add(afterUnderscore, wordBits.spaced | wordBits.underscore)
  add(afterStop, wordBits.spaced | wordBits.stop)
  add(afterBoth, wordBits.spaced | wordBits.underscore | wordBits.stop)
  return known
}

/** Word to its `wordBits`. */
export const knownWords: ReadonlyMap<string, number> = gather()

/** Runs of punctuation that JSON and telemetry are full of, by the number of tokens they are. */
export const knownRuns: ReadonlyMap<string, number> = new Map(
  [
    [
      1,
      String.raw`":" "," ":[ ":{" "},{" "]] ],[ ",""," ":""," },{" }," "}, "}} ]," ":[" ":[] :// ... \", \": {\" \":\" \",\" ,-- (), (). )," .", ..." [...] /",`,
    ] as const,
    [
      2,
      String.raw`],[" ":[[" "]]," "],[" ,"" ":"" ":[{" "}] "]} "}}} ":- ]}," }}," ]]}," ]]," ]}} ]]} ]]}} "]," "]}," ":[]," ":{} [[" {"} ":[]} ":, <*> .<*> =<*> "<*> /<*> /{} \"} ",[" ],{" }]," "}]," "-" ["" [""," ["", ,""] "]],[ %," .," ...," "/" /:"`,
    ] as const,
    [3, '"","" "]}]," ":{}," <*>, <*>: (<*>) <*>/'] as const,
  ].flatMap(([tokens, runs]) => runs.split(' ').map(run => [run, tokens] as const)),
)

/** Which of the 95 x 95 pairs of printable ASCII characters are one token: bit `first * 95 + second`. */
const pairBits: Uint8Array = Buffer.from(
  [
    '//8A/P////////9/w3sAUgAAABwAAACA/z8At+9+Ju5EAkLOAxuAAAAAAEEQBBABEQ1AACAAAOll/5UwnQNA+QEAgOIRQwggTQAA',
    '+I52AoqIfgJ4/wH4deZx8O3nf1/+7wCc////3////1//fwB+AAgg/B/xrJ3VPQDZAhoGpvff/4FzH4DEAwAAx+Ovc+D/D0Dx////',
    '7f///6C/BwDz////9P////j/A/D+////////f/n/Aej//////f//nwAA/wMAAAAAAAAAAACA/wEAAAAAAAAAAADA/wAAAAAAAAAA',
    'AADgfwAAAAAAAAAAAADwPwAAAAAAAAAAAAD4HwAAAAAAAAAAAAD8DwAAAAAAAAAAAAD+BwAAAAAAAAAAAAD/AwAAAAAAAAAAAID/',
    'AQAAAAAAAAAA/z8A7f9dx/7///+Dfh8AAwAAAMLF/2OkHQoA7///n+g0lp/wLweg/4DLzPz//3/x3wPw/+hl9FwAIOY85wGoAQAA',
    'MAWSviEUAQAEAQAAGIBgCAIAAAAA////A////gMAAACA////ge9/7wAAAADA////wH++bwAAAADg//9/4HfffwAAAADw3/8/8P/7',
    'OwAAAAD47/cP+Or3DgAAAAD89/sHXK57BQAAAAD+//8HtrL9BwAAAAD///8Cf//vAwAAAIC/fz+AyDSKAAAAAMB/v1/Adp5fAAAA',
    'AOC/3z/gb58nAAAAAPD//x/w//8/AAAAAPj/9x/4/vYdAAAAAPz/+we4//sPAAAAAP7//wP++/wDAAAAAB+5PwBFSR4AAAAAgP//',
    '/4D//P4AAAAAwP///8Dv/98AAAAA4P/ff+C32z4AAAAA8P/rP/De6z4AAAAA+O/3B6jothgAAAAA/Pf7B2QGewYAAAAAfvJdBzIi',
    'OQAAAAAAXfzeAxFxFgAAAACA/Djvgcw5OIC3FoDg369r/////0EZD0ABApKAYQfEFzD/B+AHAADABwAAwAGMAQAAAABgAQAAIGjv',
    'AXj8/////f//PwBSAAwAAAAwAQAYIAAAAAAAAAAA////AwAAAAAAAACA/3//AQAAAAAAAADA////AAAAAAAAAADg//9/AAAAAAAA',
    'AADw//8/AAAAAAAAAAD4//8fAAAAAAAAAAD87/sPAAAAAAAAAAD+//8HAAAAAAAAAAD///8DAAAAAAAAAID//+8AAAAAAAAAAMD/',
    'v38AAAAAAAAAAOD/338AAAAAAAAAAPD//z8AAAAAAAAAAPj/9x8AAAAAAAAAAPz//w8AAAAAAAAAAP7//wcAAAAAAAAAAJ/53wEA',
    'AAAAAAAAgP/+/wEAAAAAAAAAwP///wAAAAAAAAAA4P/ffwAAAAAAAAAA8P//PwAAAAAAAAAA+P//HwAAAAAAAAAA/P/7BwAAAAAA',
    'AAAAfvM9BwAAAAAAAAAA///+AwAAAAAAAACA/37vgRYUgCAAAAACQBEhRxgCAAAAAAABAAAAsd8H4A8AAMANAEDAAcACgAAAAAAA',
    'AAAAAQ==',
  ].join(''),
  'base64',
)

/** Whether the two printable ASCII characters (as codes) together are one token. */
export function isPair(first: number, second: number): boolean {
  const bit = (first - 32) * 95 + (second - 32)
  return (((pairBits[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1
}
