"""Words that names are made of; some Turkish letters (İ, ı, ş, ğ) and some Arabic names on purpose."""

from __future__ import annotations

FIRST_NAMES = (
    "Ayşe", "Mehmet", "İrem", "Işıl", "Can", "Zeynep", "Ilgın", "Ömer", "Çağla", "Emre", "Şebnem", "İbrahim",
    "Gülşah", "Kerem", "Elif", "Tuğrul", "Yıldız", "Barış", "Özlem", "Deniz", "İlker", "Nazlı", "Selim", "Aslı",
    "Ufuk", "Ebru", "Volkan", "Pınar", "Hakan", "Sıla", "Layla", "Omar", "Yusuf", "Fatma", "Khaled", "Nour",
    "Rana", "Samir", "Burcu", "Serkan", "Melis", "Onur", "Ceren", "Tolga", "Dilek", "Murat", "Esra", "Alper",
)  # fmt: skip
LAST_NAMES = (
    "Yılmaz", "Kaya", "Demir", "Şahin", "Çelik", "Yıldırım", "Öztürk", "Aydın", "Özdemir", "Arslan", "Doğan",
    "Kılıç", "Aslan", "Çetin", "Kara", "Koç", "Kurt", "Özkan", "Şimşek", "Polat", "Işık", "İnan", "Güneş",
    "Bulut", "Erdoğan", "Tekin", "Taş", "Aksoy", "Kaplan", "Avcı", "Haddad", "Al-Masri", "Mansour", "Khoury",
    "Sarı", "Bozkurt", "Uçar", "Ünal", "Yavuz", "Gür", "Ateş", "Turan", "Duman", "Eren", "Balcı", "Çakır", "Soylu",
)  # fmt: skip
ARABIC_FIRST = frozenset({"Layla", "Omar", "Khaled", "Nour", "Rana", "Samir"})

COMPANY_FIRST = (
    "Yıldız", "Anadolu", "Marmara", "Ege", "Toros", "Güven", "Doğan", "Işık", "İpek", "Kuzey", "Boğaziçi", "Çınar",
    "Deniz", "Ufuk", "Altın", "Gümüş", "Sedef", "Akdeniz", "Trakya", "Başkent", "Kartal", "Şahin", "Pamuk", "Özgür",
    "Al Noor", "Gulf", "Petra", "Cedar", "Barış", "Yeni", "Ata", "Bereket", "Hisar", "Kervan", "Liman", "Meriç",
    "Nil", "Orkun", "Pera", "Rota", "Simge", "Tuna", "Uludağ", "Vadi", "Zirve", "Çağdaş", "İz", "Ilgaz",
)  # fmt: skip
COMPANY_SECOND = {
    "logistics": ("Lojistik", "Nakliyat", "Kargo"),
    "retail": ("Market", "Mağazacılık", "Perakende"),
    "manufacturing": ("Makine", "Metal", "Otomotiv"),
    "health": ("Sağlık", "Hastanesi", "Medikal"),
    "finance": ("Finans", "Sigorta", "Yatırım"),
    "food": ("Gıda", "Tarım", "Un"),
    "technology": ("Yazılım", "Bilişim", "Teknoloji"),
    "construction": ("İnşaat", "Yapı", "Çimento"),
}
COMPANY_FORM = ("A.Ş.", "Ltd. Şti.", "Holding", "Ticaret")
TERRITORIES = {  # of a team, by the place in its name
    "İstanbul Avrupa": ("Avcılar", "Beylikdüzü", "Levent", "Şişli", "Bakırköy", "Esenyurt", "Sarıyer", "Çorlu"),
    "İstanbul Anadolu": ("Kadıköy", "Ümraniye", "Pendik", "Gebze", "Tuzla", "İzmit", "Ataşehir", "Sakarya"),
    "Ankara": ("Çankaya", "Ostim", "Sincan", "Kayseri", "Konya", "Eskişehir", "Gölbaşı", "Kırıkkale"),
    "İzmir": ("Bornova", "Çiğli", "Aliağa", "Denizli", "Manisa", "Aydın", "Muğla", "Konak"),
    "Adana": ("Seyhan", "Mersin", "Tarsus", "Antalya", "Alanya", "Isparta", "Hatay", "Osmaniye"),
    "Samsun": ("Atakum", "Trabzon", "Ordu", "Giresun", "Rize", "Zonguldak", "Sinop", "Çorum"),
    "Diyarbakır": ("Bağlar", "Gaziantep", "Şanlıurfa", "Mardin", "Batman", "Adıyaman", "Siirt", "Kilis"),
    "Erzurum": ("Yakutiye", "Malatya", "Elazığ", "Van", "Kars", "Ağrı", "Iğdır", "Muş"),
    "Müşteri Merkezi": tuple(f"Hat {number}" for number in range(1, 9)),
}
