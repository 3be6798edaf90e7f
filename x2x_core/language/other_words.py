"""English words that lie one edit from a known word but mean something else, so that they are never corrected."""

_TEXT = """
    abase abound abreast acardiac acuate addend adder adsorb adust advance advancer aero affusion after agastric
    agone aground aint alder alight aller alose altar altern alveolary amove anormal aortal aper apieces aright
    arise aroid arow assent aster atter avid baal babe bade bake baking bale balter banal bane banish bare barge
    barger barse basalt based bash basil basilary basis bask bass bast baste batch bate bath batter beach beal
    beast beater beth bettor bever bide bifilar biggen bight biliteral bitter blase blat blear bleared bless
    blesser blight blower boast boist boort boose boot booth boots bosh botch bote bothy bowed bower bowl brace
    brain braise braw bright broke broker broth brow bruiser built bunting burn butter cake calve cancel canker
    canter cardia care carking casal case catch cater cerate cere cero cess cesser chance changer chanting
    charge chide chow chymic cive claque class clearer cleat cleave cleft close codify concert cone confusion
    considerably consolidate convect convent core corm corse cove covert cower crate craw crease creat cremate
    crenate crete crop cross crow crowing cruise cube cupper curb curd curer curl curled curr curse cursed curt
    curve curvet cute dancer dater deal deave decease deceased deduce deep deft degrease delate delict dent
    deplete dess detain dhow diddle digger dight dilate dilater diluted dint discase discord diseased dissension
    dissolver dive doable doat doit dolt done donet dorm dorp dose dotal doubled doubler doublet doubly dout
    dove dowel dower drab drag drail draine dram drawl drawn dray drew drip droop dropt dross drow dunt dure
    ease eater educe egress eight either emit enema enlarger epical eradiate eraser erose erse etch euge evanish
    ever exaggerated excerpt exchanger expend expensive extensile facture fain faints fainty fake falter farm
    feal feint fess fetter fever fiddle fight filar fipple firm five flight flint florin flower foam font ford
    fore fork formal forme fort forum fraise fright frow gadding gane gatch gave geal getter gibe gild gilder
    given giver glace glans glassen glassy gloss glow glower glowing gode gong gore gorse gote goth gove grace
    grain grant grass grater greaser great greaten greeter grew grog gros grosz grot growl grown guild gyve hade
    hades hake hale halse halter halved halves hanging hart hatch hater hazel head heald heap hear hepatoma
    hearth hearty heat heave heaving heel heft hell helve hemal herl hernial hero hider hight hike hill hilt
    hipe hire hive hone horse hose hove howel huke humor ignote imaginer impaint impone imposer impost improver
    included increaser increate induced inducer induct indue inert infect inflection injection insect insected
    insection inset intensity interior introducer invection invert inverted issue jakes jess jetter jigger jive
    join joist jove keel keeling keen kelp kemp kittle laager lace lager lagger lake lancer lant larder largess
    largo larker larve lass latch later lave laziness leach leading leal leaning leaping lear lease leaser
    leasing leat leaved leaven leaver leaves leavy leep lees leet legion lens lent lessee lesson lessor lest
    lester letter lever lift ligger light lightly liss live lode loft loge loke lone loose lope loper lore losel
    loser lost lote louse love lover lowery luge lure mace madding made mage maker maki mako male malignance
    mall mane manes manor mare marge marker market masked masse masser match mate mater maying maze maziness
    meal meddle mediastine medius meld mero mess middler might mike milden mildew mile milk milker mill miller
    milt milter mind minder miner minos miny misease missive modal mode moderato module moke mold molder mole
    mome mone mont mope morel morse mote moth mover movie mower muddle mure nake nasal nasally natch neal neer
    ness nether neve nide night nine nithing noddle node noduled noint nome nona nonce nones nonet nope norm
    norma northing nose notal notching note nowel obit ocreate odds often ogive oint opine overlap overlead
    overlord overloud overly overpay ovoid pace pacification padding pain painty palace palter pant paque parch
    pare parenchyma paring parking pasch passive passively patcher path patio peace peach peal peart peep
    pericardiac pericarpial peripteral piddle pine pint piny pitch placer placet plack plage plague plaice
    plaint plait plan plane planet plank plat plate platt pliant plight ploce plower plural point pone porrect
    porta pose potch power praise prase preserver prevent print producer product profess pronounce pronouncer
    prop prow prowess pure race rach radicate radio raiae rain rais raised raiser rake raking rase rasse ratch
    rater ration reach real reave recompensation redress reducer reduct reft regain relove remote remover repace
    repress resent reserve resolver retail revere revolve revolving rhymic riant riddle ride rigger ripple rise
    rive roost rose ross rotal rove rowel rower rumor saint saintly sake salter salve sand sane sang sank
    sarking scall scare scow scute seal seave seduce seep seine seizable sess setter sever severy shadowy shaft
    shall share shaw sheal shide shifty shine shirt shod shoe shog shoo shop shot shown showy shrank shriek
    shrift shrine sift sigger sight sightly sine slant slap sleave sleight slighty slow smalls smally smalt
    smell smeller smit snap snare snift snow soap soaring sower spade spae spale spall spane spar sparer sparge
    spark sparling sparse spary spate spice spike spile spin spined spinel spinet spink spiny spire spiring
    spite spline spore spring stall staller stare stimulate stomacher stomachy stow substantival substituted
    substract subtile suine supine supper suttle swab swad swag swam swamp swan swape sware swat sway swift
    swine synthesis synthesist synthetize taint taking targe tarn teach teal teat tedium tensity tern tetter
    thoracica threat tiddle tide tidy tight tind tine ting tink tinny tint tipple tissued tittle tivy tone tony
    torn torse torta tortious tortulous torturous tourn towel tower tracer track tract trade train trance trave
    tread treater treaty tret trice troat trow truce tudor turf turk turm tutor unco unde unfolder unforded unio
    unpaint unto upher valve varnish vase veal veinous venerate venus vinous viny vive void voiding volumed
    volute vomit vowel vower wadding wader wafer wafter wager waiter wake waken waker waking waler walter wase
    waster watch watery waver weal weave weaving weazen weep weeping weft wheal while whine whit whiten whites
    wide wight wild wilder wildly winy wite wive wone wont wore worm worser worst wove wraw wright write wroken
    yodel zeal being beings brine brink bringer wring pus bush rush lush posh puss pushy judge fudge budge nude driver
    drives dive river derive tale tape tame taken takes tare stake tike tyke toke talk
    incur inch deer decor decry console
    consul lingual cannon pneuma bake wake lake fake cake
"""
OTHER_WORDS = frozenset(_TEXT.split())
