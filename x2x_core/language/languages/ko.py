"""Korean."""

from .table import Language

KOREAN = Language(
    code="ko",
    name="Korean",
    spaced=False,
    verbs={
        "add": "추가, 추가하세요, 추가해 주세요, 추가해줘, 추가하기, 추가하고, 추가한다, 추가하십시오, 넣기, "
        "넣어 주세요, 추가해, 추가해 주십시오, 추가 부탁드립니다, 추가 부탁해요, 추가 바랍니다, 넣어, 넣어줘, "
        "넣으세요, 넣고, 넣어 주십시오, 더해 주세요, 더해줘, 삽입, 삽입하세요, 삽입해줘, 삽입해 주세요, "
        "만들어줘, 만들어 주세요, 생성, 생성해줘, 생성해 주세요",
        "remove": "제거, 제거하세요, 제거해 주세요, 제거해줘, 제거하기, 제거하고, 제거한다, 제거하십시오, 삭제, "
        "삭제하세요, 삭제해 주세요, 삭제하고, 없애기, 없애 주세요, 제거해, 없애줘, 없애, 없애고, 없애세요, "
        "지워줘, 지워 주세요, 지우기, 지우고, 지우세요, 빼줘, 빼 주세요, 삭제해줘, 삭제해, 제거해 주십시오, "
        "제거 부탁드립니다",
        "change": "변경, 변경하세요, 변경해 주세요, 변경하고, 변경하십시오, 바꾸기, 바꾸세요, 바꿔 주세요, "
        "바꾸고, 바꿔줘, 바꿔, 변경해줘, 변경해, 조정해 주세요, 변경해 주십시오",
        "increase": "악화, 악화시키세요, 악화시켜 주세요, 악화시키고, 증가시키세요, 증가시켜 주세요, "
        "증가시키고, 증가시키기, 악화시켜줘, 증가시켜줘, 늘려줘, 늘려 주세요, 늘리기, 키워줘, 키워 주세요",
        "decrease": "완화, 완화하세요, 완화해 주세요, 완화시키세요, 완화하고, 감소시키세요, 감소시켜 주세요, "
        "감소시키고, 감소시키기, 줄이기, 줄여 주세요, 줄이세요, 줄이고, 감소시켜줘, 줄여줘, 줄여, 완화시켜줘, "
        "완화시켜 주세요",
    },
    findings={
        "pleural effusion": "흉수, 흉막 삼출, 흉막 삼출액, 흉막삼출, 흉막액, 늑막삼출, 흉막 삼출물",
        "consolidation": "경화, 폐경화, 경결, 폐경결",
        "lung opacity": "폐 음영, 음영, 폐 침윤, 침윤, 간유리 음영, 간유리음영, 폐침윤",
        "pneumonia": "폐렴, 기관지폐렴",
        "infection": "감염, 폐 감염",
        "atelectasis": "무기폐",
        "edema": "부종, 폐부종",
        "cardiomegaly": "심비대, 심장비대, 심장 비대, 심장 확대, 심장확대",
        "enlargement of the cardiac silhouette": "심장 음영 확대, 심음영 확대",
        "pneumothorax": "기흉",
        "hernia": "탈장, 열공 탈장, 횡격막 탈장",
        "vascular congestion": "혈관 울혈, 폐혈관 울혈, 폐울혈",
        "hilar congestion": "폐문 울혈",
        "heart failure": "심부전, 울혈성 심부전",
        "tortuosity of the descending aorta": "하행 대동맥 사행, 하행대동맥의 사행",
        "tortuosity of the thoracic aorta": "흉부 대동맥 사행, 흉부대동맥의 사행, 대동맥 사행",
        "scoliosis": "척추측만증, 척추 측만, 측만증",
        "gastric distention": "위 팽만, 위 확장",
        "hypoxemia": "저산소혈증",
        "hypertensive heart disease": "고혈압성 심장질환, 고혈압성 심장병",
        "hematoma": "혈종",
        "contusion": "타박상, 폐좌상",
        "emphysema": "폐기종, 기종",
        "granuloma": "육아종",
        "calcification": "석회화",
        "pleural thickening": "흉막 비후, 흉막비후",
        "thymoma": "흉선종",
        "blunting of the costophrenic angle": "늑골횡격막각 둔화, 늑횡격막각 둔화",
        "fracture": "골절, 늑골 골절, 갈비뼈 골절",
        "pneumomediastinum": "종격동 기종, 종격동기종",
        "air collection": "공기 저류, 공기 고임",
        "lung lesion": "폐 병변, 결절, 폐 결절, 종괴, 폐 종괴",
    },
    sides={
        "left": "왼쪽, 좌측, 왼편, 좌",
        "right": "오른쪽, 우측, 오른편, 우",
        "bilateral": "양쪽, 양측, 양측성, 양",
    },
    levels={
        "minimal": "극소량, 미량, 최소한",
        "subtle": "미묘한, 희미한",
        "minor": "경미한, 경미, 약간",
        "small": "소량, 작은, 적은, 작은 양",
        "mild": "경도, 가벼운",
        "moderate": "중등도, 중등량, 중간, 중등",
        "large": "다량, 큰, 많은",
        "severe": "중증, 고도, 심한",
        "massive": "대량, 거대한",
        "acute": "급성",
        "increasing": "증가하는, 악화되는",
        "decreasing": "감소하는, 호전되는",
    },
    zones={
        "upper": "상폐야, 상부 폐야, 상엽, 상부",
        "middle": "중폐야, 중부 폐야, 중엽, 중간 폐야",
        "lower": "하폐야, 하부 폐야, 하엽, 하부",
        "apical": "폐첨부, 폐첨, 폐 첨부",
        "basal": "폐저부, 폐 기저부, 기저부, 폐저",
        "perihilar": "폐문 주위",
        "hilar": "폐문부, 폐문",
        "retrocardiac": "심장 뒤, 심장 후방",
        "costophrenic": "늑골횡격막각, 늑횡격막각",
    },
    conjunctions="와, 과, 및",
    arrows="으로, 로",
    fillers="의, 폐, 을, 를, 이, 가, 은, 는, 에, 에서, 소견, 정도, 좀, 주세요, 부탁드립니다, 부탁해요, 쪽, "
    "부위, 영역, 해 주세요, 해줘",
    range_joiner="~",
    sentence="{parts} {verb}.",
    change="{parts} {verb}.",
    order=("side", "zone", "level", "finding", "transition"),
    transition="{before} 정도에서 {after} 정도로",
    transition_to="{after} 정도로",
    arrow_after=True,
)
