"""Names of artists, albums, tracks, playlists and people in nineteen languages, put together from words.

Nobody's real catalog: words meet by chance, some far more often than others, as in titles that people write. The
same seed gives the same names. Pure.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """Words of a language and how its titles are built: `{0}` and `{1}` are words, `{n}` a person or place."""

    share: int
    """How many of a hundred artists sing in it, about."""
    words: tuple[str, ...]
    syllables: tuple[str, ...]
    titles: tuple[str, ...]
    bands: tuple[str, ...]
    is_cased: bool = True
    syllables_per_name: tuple[int, int] = (2, 3)


def _language(share: int, words: str, syllables: str, titles: str, bands: str, **more: object) -> Language:
    return Language(
        share,
        tuple(words.split()),
        tuple(syllables.split()),
        tuple(titles.split("|")),
        tuple(bands.split("|")),
        **more,  # type: ignore[arg-type]
    )


LANGUAGES: dict[str, Language] = {
    "en": _language(
        38,
        "love night time heart light home river moon fire rain summer dream city road blue water dance girl sky gold "
        "sun world shadow winter street morning ghost stone wild silver paper electric ocean glass radio midnight "
        "garden mirror little broken sleep thunder velvet honey harbour lantern satellite cathedral sparrow kerosene "
        "meadow static hollow copper neon orchard avalanche postcard lighthouse magnolia tangerine wolves machine "
        "bones diamond desert empire escape fever flower gravity horizon island jungle kingdom letter memory needle "
        "oxygen parade quiet ribbon season telephone umbrella valley whisper yesterday zero arrow balcony carousel "
        "daylight engine feather glacier halo ivory juniper kite lemon marble nomad opal pilot quartz raven saffron",
        "ash bel cor dan el fen gar hal ing jo kel lor mar nor o pen quin ros sel tam un ver wil yar",
        "{0} {1}|the {0}|{0} of {1}|{0}|{0} in the {1}|my {0}|{0} and {1}|no {0}|{0} for {n}|when the {0} {1}s|"
        "don't {0} me|all my {0}s|{0} / {1}|we were {0}|(i need) {0}|it's {0} time|{0} {1} blues",
        "the {0}s|{0} {1}|{n} & the {0}s|{n} {n}|{0}{1}|the {0} {1} Band|{n}|DJ {n}|{n} Trio|The {0} {1}",
    ),
    "es": _language(
        8,
        "amor noche corazón luz casa río luna fuego lluvia verano sueño ciudad camino azul agua baile niña cielo oro "
        "sol mundo sombra invierno calle mañana piedra plata papel océano canción jardín espejo pájaro montaña señal",
        "al ba ca dor es fer gon her is jo lu man nez or pe ra san tor val ya zul",
        "{0} de {1}|el {0}|{0} y {1}|sin {0}|{0}|mi {0}|una {0} más|¿dónde está mi {0}?|{0} para {n}|bajo la {0}",
        "los {0}s|{n} {n}|{n} y los {0}s|la {0} {1}|{n}",
    ),
    "pt": _language(
        4,
        "amor noite coração luz casa rio lua fogo chuva verão sonho cidade caminho azul água dança menina céu ouro "
        "sol mundo sombra inverno saudade manhã pedra prata maré canção jardim espelho avião balão violão irmão",
        "al bar cas dos es fon gal hen il jor lim mar nes ol per ri sil tan vas xi zé",
        "{0} de {1}|{0} e {1}|minha {0}|sem {0}|{0}|o {0} não sabe|canção para {n}",
        "os {0}s|{n} {n}|{n}|banda {0}|{n} e {n}",
    ),
    "fr": _language(
        6,
        "amour nuit cœur lumière maison rivière lune feu pluie été rêve ville chemin bleu eau danse fille ciel or "
        "soleil monde ombre hiver rue matin pierre argent papier océan chanson forêt miroir oiseau fenêtre à-côté",
        "al ber cha dé é fon gi hé lau mon nel ou per ré sé thi vi zo",
        "{0} de {1}|l'{0}|{0} et {1}|sans {0}|{0}|mon {0}|où est la {0} ?|{0} pour {n}|l'été du {0}",
        "les {0}s|{n} {n}|{n}|{n} et les {0}s|{0} {1}",
    ),
    "de": _language(
        6,
        "liebe nacht herz licht haus fluss mond feuer regen sommer traum stadt straße blau wasser tanz mädchen himmel "
        "gold sonne welt schatten winter morgen stein silber papier meer lied garten spiegel vogel brücke flügel tür",
        "al ber dorf en feld ger heim in ker lin mann nau ol rich schu tal ul wald zeh",
        "{0} und {1}|die {0}|kein {0}|{0}|über {0}|{0} aus {1}|{0}{1}|wo ist mein {0}?|für {n}|{0} ohne ende",
        "die {0}s|{n} {n}|{n}|{0}{1}|{n} & die {0}s",
    ),
    "sv": _language(
        3,
        "kärlek natt hjärta ljus hem flod måne eld regn sommar dröm stad väg blå vatten dans flicka himmel guld sol "
        "värld skugga vinter gata morgon sten silver papper hav sång trädgård spegel fågel öken ängel år",
        "an berg dal ek fors gren hed in jö kvist lund mark nor sjö ström wik ås öst",
        "{0} och {1}|{0}en|ingen {0}|{0}|min {0}|över {0}|{0} för {n}",
        "{n} {n}|{n}|de {0}|{0} {1}",
    ),
    "is": _language(
        2,
        "ást nótt hjarta ljós heim á tungl eldur rigning sumar draumur borg vegur blár vatn "
        "dans stelpa himinn gull sól "
        "heimur skuggi vetur gata morgunn steinn silfur pappír haf söngur þögn hús fugl jökull ævintýri",
        "ar björk dís ey freyr gunn hild ing jó ka lár mun ólaf rún sig þór vig",
        "{0} og {1}|{0}|engin {0}|mín {0}|{0} fyrir {n}|í {0}",
        "{n} {n}sson|{n} {n}sdóttir|{0} {1}|{n}",
    ),
    "pl": _language(
        3,
        "miłość noc serce światło dom rzeka księżyc ogień deszcz lato sen miasto droga błękit woda taniec dziewczyna "
        "niebo złoto słońce świat cień zima ulica ranek kamień srebro papier ocean piosenka ogród lustro ptak źródło",
        "ak bor cz da eł fran go jan ko les łuk mi now o prze rys ska tom wi zda",
        "{0} i {1}|{0}|bez {0}|moja {0}|{0} nad {1}|gdzie jest {0}?|dla {n}",
        "{n} {n}|{n}|{0} {1}|{n}ski trio",
    ),
    "tr": _language(
        3,
        "aşk gece kalp ışık ev nehir ay ateş yağmur yaz rüya şehir yol mavi su dans "
        "kız gökyüzü altın güneş dünya gölge "
        "kış sokak sabah taş gümüş kâğıt okyanus şarkı bahçe ayna kuş ağaç çiçek",
        "ah bey can de er fa gül ha ış ka lu mer nur oğ öz ra sel şen tan ül yıl",
        "{0} ve {1}|{0}|benim {0}|{0} gibi|bir {0} daha|{n} için",
        "{n} {n}|{n}|{n} {n}oğlu|{0} {1}",
    ),
    "vi": _language(
        2,
        "tình đêm tim ánh nhà sông trăng lửa mưa hè mơ phố đường xanh nước nhảy gái trời vàng nắng đời bóng đông sáng "
        "đá bạc giấy biển bài vườn gương chim hoa mây nhớ",
        "an bảo châu dũng đạt giang hà khánh lan minh ngọc phương quân sơn thảo tuấn vy yến",
        "{0} {1}|{0}|{0} của {n}|một {0}|{0} không {1}|đừng {0}",
        "{n} {n}|{n}|nhóm {0}",
        syllables_per_name=(1, 2),
    ),
    "ru": _language(
        5,
        "любовь ночь сердце свет дом река луна огонь дождь лето сон город дорога синий вода танец девочка небо золото "
        "солнце мир тень зима улица утро камень серебро бумага океан песня сад зеркало птица ёлка весна",
        "ан бор вал гри дми ев жан зин ив кол лев мар ник ол пет ро сер тан фё юр",
        "{0} и {1}|{0}|моя {0}|без {0}|{0} над {1}|где же {0}?|для {n}",
        "{n} {n}ов|{n} {n}ова|{n}|группа {0}|{0} {1}",
    ),
    "el": _language(
        2,
        "αγάπη νύχτα καρδιά φως σπίτι ποτάμι φεγγάρι φωτιά βροχή καλοκαίρι όνειρο πόλη δρόμος γαλάζιο νερό χορός "
        "κορίτσι ουρανός χρυσός ήλιος κόσμος σκιά χειμώνας πρωί πέτρα ασήμι χαρτί ωκεανός τραγούδι κήπος",
        "αν βα γι δη ελ θα ιω κω λου μα νι ορ πα ρου στα τα φω χρι",
        "{0} και {1}|{0}|η {0} μου|χωρίς {0}|για {n}",
        "{n} {n}ς|{n}|οι {0}|{n} {n}",
    ),
    "ja": _language(
        6,
        "愛 夜 心 光 家 川 月 火 雨 夏 夢 街 道 青 水 踊り 少女 空 金 太陽 世界 影 冬 通り 朝 石 "
        "銀 紙 海 歌 庭 鏡 鳥 桜 花火 "
        "恋 星 風 東京 さよなら ありがとう コーヒー ラジオ メロディー サイダー 電車 手紙",
        "明 山 田 中 川 美 子 木 村 井 上 花 優 真 高 橋 佐 藤 鈴 林",
        "{0}の{1}|{0}|{0}と{1}|{0}になりたい|{0}をください|{0}、{1}|あの{0}|{n}へ",
        "{n}{n}|{0}の{1}|{n} {n}|{n}バンド|ザ・{0}ズ",
        is_cased=False,
        syllables_per_name=(1, 2),
    ),
    "zh": _language(
        4,
        "爱 夜 心 光 家 江 月亮 火 雨 夏天 梦 城市 路 蓝 水 舞 女孩 天空 黄金 太阳 世界 影子 "
        "冬天 街 早晨 石头 银 纸 海洋 歌 "
        "花园 镜子 鸟 风 春风 时间 青春 朋友",
        "李 王 明 华 丽 强 伟 芳 娜 静 军 洋 勇 艳 杰 涛 超 霞 平 刚",
        "{0}的{1}|{0}|我的{0}|没有{0}|{0}与{1}|{0}里的{1}|给{n}",
        "{n}{n}|{n}|{0}乐队|{0}{1}",
        is_cased=False,
        syllables_per_name=(1, 2),
    ),
    "ko": _language(
        3,
        "사랑 밤 마음 빛 집 강 달 불 비 여름 꿈 도시 길 파랑 물 춤 소녀 하늘 금 태양 세상 "
        "그림자 겨울 거리 아침 돌 은 종이 "
        "바다 노래 정원 거울 새 봄 안녕",
        "김 이 박 최 정 민 서 준 지 우 하 은 현 수 영 진 호 연 재 윤",
        "{0}의 {1}|{0}|내 {0}|{0} 없이|{0}과 {1}|{n}에게",
        "{n}|{0} {1}|{n} 밴드",
        is_cased=False,
    ),
    "ar": _language(
        3,
        "حب ليل قلب نور بيت نهر قمر نار مطر صيف حلم مدينة طريق أزرق ماء رقص بنت سماء ذهب "
        "شمس عالم ظل شتاء شارع صباح حجر "
        "فضة ورق بحر أغنية حديقة مرآة طائر",
        "أحمد سعيد ليلى نور حسن علي فاطمة مريم يوسف خالد سمير هدى كريم رنا",
        "{0} {1}|{0}|يا {0}|بلا {0}|{0} و{1}|إلى {n}",
        "{n} {n}|{n}|فرقة {0}",
        is_cased=False,
        syllables_per_name=(1, 1),
    ),
    "he": _language(
        1,
        "אהבה לילה לב אור בית נהר ירח אש גשם קיץ חלום עיר דרך כחול מים ריקוד ילדה שמיים זהב שמש עולם צל חורף רחוב בוקר",
        "דוד שרה יוסי רון נועה אבי מאיה אורי תמר עידו",
        "{0} {1}|{0}|ה{0} שלי|בלי {0}|{0} ו{1}",
        "{n} {n}|{n}|ה{0}",
        is_cased=False,
        syllables_per_name=(1, 1),
    ),
    "hi": _language(
        2,
        "प्यार रात दिल रोशनी घर नदी चाँद आग बारिश गर्मी सपना शहर रास्ता नीला पानी नाच लड़की "
        "आसमान सोना सूरज दुनिया साया सर्दी "
        "गली सुबह पत्थर चाँदी कागज़ सागर गीत बाग आईना",
        "राज प्रिया अमित नेहा रवि सीता अर्जुन मीरा विजय अनु",
        "{0} और {1}|{0}|मेरा {0}|{0} के बिना|{0} की {1}",
        "{n} {n}|{n}|{0} {1}",
        is_cased=False,
        syllables_per_name=(1, 1),
    ),
    "th": _language(
        1,
        "รัก คืน ใจ แสง บ้าน แม่น้ำ จันทร์ ไฟ ฝน ร้อน ฝัน เมือง ทาง ฟ้า น้ำ เต้น สาว ทอง ตะวัน โลก เงา หนาว ถนน เช้า หิน",
        "สม ชาย พร ศรี นิด แดง วิ ชัย อร ดา",
        "{0}{1}|{0}|{0}ของ{n}|ไม่มี{0}",
        "วง{0}|{n}{n}|{n}",
        is_cased=False,
    ),
}
_CODES = list(LANGUAGES)
_SHARES = [language.share for language in LANGUAGES.values()]

GENRES = (
    *("Rock", "Pop", "Electronic", "Hip-Hop", "Jazz", "Classical", "Folk", "Metal", "Ambient", "Soul", "R&B", "Funk"),
    *("Indie", "Punk", "Techno", "House", "Blues", "Country", "Reggae", "Soundtrack", "Experimental", "Drone", "Dub"),
    *("Chanson", "Bossa Nova", "Samba", "Flamenco", "Fado", "Cumbia", "Afrobeat", "Highlife", "Klezmer", "Enka"),
    *("J-Pop", "K-Pop", "C-Pop", "City Pop", "Shoegaze", "Post-Rock", "Math Rock", "Black Metal", "Doom", "Grunge"),
    *("Drum and Bass", "Jungle", "Trance", "IDM", "Glitch", "Chiptune", "Vaporwave", "Lo-Fi", "Trip-Hop", "Grime"),
    *("Singer-Songwriter", "Americana", "Bluegrass", "Gospel", "Opera", "Choral", "Baroque", "Minimalism"),
    *("Spoken Word", "Field Recording", "Musique concrète", "Krautrock", "Neue Deutsche Welle", "Schlager", "Polka"),
    *("Türkü", "Раї", "Русский рок", "Ρεμπέτικο", "طرب", "演歌", "民谣", "Qawwali", "Bhangra", "Mor lam"),
    *("Nueva canción", "Forró"),
)
_ENDINGS = (
    *("(Live)", "(Acoustic)", "(Remix)", "(Demo)", "(Instrumental)", "(Radio Edit)", "(Reprise)", "(Interlude)"),
    *("Pt. 1", "Pt. 2", "Pt. II", "No. 3", "2", "(Live at the Harbour)", "(2019 Remaster)", "[Bonus]"),
)
_LISTS = (
    *("{w}", "{w} mix", "Best of {w}", "{w} & {v}", "Songs for {w}", "{w} radio", "Sunday {w}", "chill {w}"),
    *("{w} 2026", "Late {w}", "Road trip: {w}", "{w} for working", "Party at {n}'s", "{n} + {m}", "♥ {w}"),
    *("gym", "sleep", "Kitchen"),
)


class Namer:
    """Makes names from one source of chance."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def language(self) -> str:
        """A language's code, the frequent ones more often."""
        return self._chance.choices(_CODES, _SHARES)[0]

    def person(self, code: str) -> str:
        """One name, such as "Marlen" or "山田"."""
        language = LANGUAGES[code]
        least, most = language.syllables_per_name
        name = "".join(self._chance.choice(language.syllables) for _ in range(self._chance.randint(least, most)))
        return name[:1].upper() + name[1:] if language.is_cased else name

    def full_name(self, code: str) -> str:
        between = "" if code in {"ja", "zh", "ko", "th"} else " "
        return f"{self.person(code)}{between}{self.person(code)}"

    def band(self, code: str) -> str:
        """The name of an artist."""
        name = self._filled(self._chance.choice(LANGUAGES[code].bands), code)
        return name.title().replace("'S ", "'s ") if LANGUAGES[code].is_cased else name

    def title(self, code: str) -> str:
        """The title of an album or a track."""
        title = self._filled(self._often(LANGUAGES[code].titles), code)
        if LANGUAGES[code].is_cased:
            title = title[:1].upper() + title[1:]
            if code == "en" and self._chance.random() < 0.6:
                title = " ".join(word[:1].upper() + word[1:] for word in title.split(" "))
        return title

    def track_title(self, code: str) -> str:
        """Like title, sometimes with what versions of a track are called."""
        title = self.title(code)
        return f"{title} {self._chance.choice(_ENDINGS)}" if self._chance.random() < 0.08 else title

    def playlist(self, code: str) -> str:
        words = LANGUAGES[code].words
        name = self._chance.choice(_LISTS).format(
            w=self._often(words), v=self._often(words), n=self.person(code), m=self.person(code)
        )
        return name[:1].upper() + name[1:]

    def _filled(self, pattern: str, code: str) -> str:
        words = LANGUAGES[code].words
        filled = pattern
        while "{n}" in filled:
            filled = filled.replace("{n}", self.person(code), 1)
        return filled.format(self._often(words), self._often(words))

    def _often(self, words: Sequence[str]) -> str:
        """One of them, the first ones much more often: words in titles follow Zipf."""
        return words[int(len(words) * self._chance.random() ** 1.8)]
